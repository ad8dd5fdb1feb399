# SPDX-License-Identifier: GPL-2.0-or-later
"""rawkey.py - TLS 1.3 with raw public keys, as the device link speaks it

Python's ssl knows no raw public keys (RFC 7250), so this asks GnuTLS itself:
just enough to be a device, or a controller, that says what a test wants it to
say."""
import ctypes as c
import hashlib
import socket
import struct

# gnutls.h, x509.h, abstract.h
SERVER, CLIENT, NO_SIGNAL, NO_TICKETS, ENABLE_RAWPK = 1, 2, 64, 1024, 262144
CRD_CERTIFICATE, KEY_DIGITAL_SIGNATURE, CERT_REQUIRE = 1, 128, 2
DER, PEM, PKCS_PLAIN = 0, 1, 1
# Kinds of keys: algorithm, and bits or GNUTLS_CURVE_TO_BITS of the curve.
ED25519, ECDSA, RSA = (7, 0x80000007), (4, 0x80000002), (1, 2048)
SHA512, KU_PEER = 8, 1
E_AGAIN, E_INTERRUPTED, E_PREMATURE_TERMINATION = -28, -52, -110

PRIORITIES = ("NONE:+VERS-TLS1.3:+AEAD:+AES-128-GCM:+AES-256-GCM:"
              "+CHACHA20-POLY1305:+GROUP-X25519:+SIGN-EDDSA-ED25519:"
              "+CTYPE-CLI-RAWPK:+CTYPE-SRV-RAWPK")

lib = c.CDLL("libgnutls.so.30")
lib.gnutls_strerror.restype = c.c_char_p
lib.gnutls_record_send.restype = c.c_ssize_t
lib.gnutls_record_recv.restype = c.c_ssize_t
lib.gnutls_record_send.argtypes = [c.c_void_p, c.c_char_p, c.c_size_t]
lib.gnutls_record_recv.argtypes = [c.c_void_p, c.c_void_p, c.c_size_t]
lib.gnutls_free = c.c_void_p.in_dll(lib, "gnutls_free").value
FREE = c.CFUNCTYPE(None, c.c_void_p)(lib.gnutls_free)


class Error(ConnectionError):
    """What GnuTLS said."""


class Datum(c.Structure):
    """gnutls_datum_t"""
    _fields_ = [("data", c.c_void_p), ("size", c.c_uint)]

    def take(self):
        """The bytes; the library's copy of them is freed."""
        text = c.string_at(self.data, self.size)
        FREE(self.data)
        return text


def given(text):
    """A datum of our bytes, which must live as long as it."""
    return Datum(c.cast(c.c_char_p(text), c.c_void_p), len(text))


def call(name, *args):
    """Call a function of GnuTLS; its error becomes an exception."""
    r = getattr(lib, name)(*args)
    if r < 0:
        raise Error(f"{name}: {lib.gnutls_strerror(r).decode()}")
    return r


class Key:
    """A new key pair, or the one of a PKCS #8 file; its fingerprint."""

    def __init__(self, kind=ED25519, pem=None):
        x509, key, public = c.c_void_p(), c.c_void_p(), c.c_void_p()
        secret, public_pem, der = Datum(), Datum(), Datum()
        call("gnutls_x509_privkey_init", c.byref(x509))
        if pem:
            call("gnutls_x509_privkey_import_pkcs8", x509, c.byref(given(pem)),
                 PEM, None, PKCS_PLAIN)
        else:
            call("gnutls_x509_privkey_generate", x509, kind[0],
                 c.c_uint(kind[1]), 0)
        call("gnutls_x509_privkey_export2_pkcs8", x509, PEM, None, PKCS_PLAIN,
             c.byref(secret))
        call("gnutls_privkey_init", c.byref(key))
        call("gnutls_privkey_import_x509", key, x509, 0)
        call("gnutls_pubkey_init", c.byref(public))
        call("gnutls_pubkey_import_privkey", public, key, 0, 0)
        call("gnutls_pubkey_export2", public, PEM, c.byref(public_pem))
        call("gnutls_pubkey_export2", public, DER, c.byref(der))
        self.secret, self.public = secret.take(), public_pem.take()
        self.fingerprint = hashlib.sha256(der.take()).hexdigest()
        lib.gnutls_pubkey_deinit(public)
        lib.gnutls_privkey_deinit(key)
        lib.gnutls_x509_privkey_deinit(x509)

    @property
    def id(self):
        """The identity of its holder on the link."""
        return self.fingerprint[:32]

    def give(self, credentials):
        """As the one that is shown."""
        public, secret = given(self.public), given(self.secret)
        call("gnutls_certificate_set_rawpk_key_mem", credentials,
             c.byref(public), c.byref(secret), PEM, None,
             KEY_DIGITAL_SIGNATURE, None, 0, 0)


class Certificate(Key):
    """A key pair with a certificate that it signed itself."""

    def give(self, credentials):
        key, crt, pem = c.c_void_p(), c.c_void_p(), Datum()
        secret = given(self.secret)
        call("gnutls_x509_privkey_init", c.byref(key))
        call("gnutls_x509_privkey_import_pkcs8", key, c.byref(secret), PEM,
             None, PKCS_PLAIN)
        call("gnutls_x509_crt_init", c.byref(crt))
        call("gnutls_x509_crt_set_version", crt, 3)
        call("gnutls_x509_crt_set_serial", crt, b"\1", c.c_size_t(1))
        call("gnutls_x509_crt_set_activation_time", crt, c.c_long(0))
        call("gnutls_x509_crt_set_expiration_time", crt, c.c_long(2 ** 31))
        call("gnutls_x509_crt_set_key", crt, key)
        call("gnutls_x509_crt_sign2", crt, crt, key, SHA512, 0)
        call("gnutls_x509_crt_export2", crt, PEM, c.byref(pem))
        text = pem.take()
        call("gnutls_certificate_set_x509_key_mem", credentials,
             c.byref(given(text)), c.byref(secret), PEM)
        lib.gnutls_x509_crt_deinit(crt)
        lib.gnutls_x509_privkey_deinit(key)


class Session:
    """TLS over a connected socket, up to the end of the handshake.

    key None: without one, which the other end must refuse."""

    def __init__(self, sock, key, timeout=15, priorities=PRIORITIES,
                 side=CLIENT):
        self.session, self.credentials = c.c_void_p(), c.c_void_p()
        # Blocking, with the kernel's timeouts: what is late is E_AGAIN.
        self.socket = sock
        self.socket.settimeout(None)
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            self.socket.setsockopt(socket.SOL_SOCKET, option,
                                   struct.pack("ll", timeout, 0))
        try:
            self.shake(key, priorities, side)
        except BaseException:
            self.close()
            raise

    def shake(self, key, priorities, side):
        """The handshake."""
        call("gnutls_init", c.byref(self.session),
             c.c_uint(side | NO_SIGNAL | NO_TICKETS | ENABLE_RAWPK))
        call("gnutls_certificate_allocate_credentials",
             c.byref(self.credentials))
        if key:
            key.give(self.credentials)
        call("gnutls_priority_set_direct", self.session, priorities.encode(),
             None)
        call("gnutls_credentials_set", self.session, CRD_CERTIFICATE,
             self.credentials)
        if side == SERVER:
            lib.gnutls_certificate_server_set_request(self.session,
                                                      CERT_REQUIRE)
        lib.gnutls_transport_set_int2(self.session, self.socket.fileno(),
                                      self.socket.fileno())
        self.repeat(lambda: lib.gnutls_handshake(self.session))
    @staticmethod
    def repeat(function):
        """Until it was not interrupted."""
        while (r := function()) == E_INTERRUPTED:
            pass
        if r == E_AGAIN:
            raise TimeoutError("nothing came in time")
        if r < 0:
            raise Error(lib.gnutls_strerror(r).decode())
        return r

    def sendall(self, data):
        """As of a socket."""
        while data:
            n = self.repeat(lambda: lib.gnutls_record_send(
                self.session, data, len(data)))
            data = data[n:]

    def recv(self, size):
        """As of a socket; b"" at the end, with or without a goodbye."""
        buf = c.create_string_buffer(size)

        def take():
            r = lib.gnutls_record_recv(self.session, buf, size)
            return 0 if r == E_PREMATURE_TERMINATION else r
        n = self.repeat(take)
        return buf.raw[:n]

    def update_key(self):
        """Ask for new keys in both directions (RFC 8446 4.6.3)."""
        self.repeat(lambda: lib.gnutls_session_key_update(self.session,
                                                          KU_PEER))

    def alert(self, level, description):
        """Send an alert."""
        self.repeat(lambda: lib.gnutls_alert_send(self.session, level,
                                                  description))

    def close(self):
        """Hang up; may be called again."""
        if self.session:
            lib.gnutls_deinit(self.session)
        if self.credentials:
            lib.gnutls_certificate_free_credentials(self.credentials)
        self.session, self.credentials = None, None
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Link(Session):
    """A connection to a controller."""

    def __init__(self, address, port, key, timeout=15, source=None, **options):
        super().__init__(socket.create_connection(
            (address, port), timeout, (source, 0) if source else None), key,
            timeout, **options)
