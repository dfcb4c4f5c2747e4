#!/usr/bin/python3
"""Runs a command that reaches the service only by its name over TLS, and leads it to the emulator.

usage: tunnel.py COMMAND [ARGUMENT...]

The command finds a proxy in HTTPS_PROXY that takes connections to api.backblazeb2.com, answers TLS with a
certificate which SSL_CERT_FILE, REQUESTS_CA_BUNDLE and RESTIC_CACERT name, and carries what is in it to the emulator of
B2_ENDPOINT. What authorize answers leads to the emulator itself.
"""
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import urllib.parse

SERVICE = 'api.backblazeb2.com'


def carry(here, there):
    """Carries bytes one way until either end closes."""
    try:
        while data := here.recv(1 << 16):
            there.sendall(data)
    except OSError:
        pass  # the other end closed first
    for end in (here, there):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(client, context, target):
    """Answers one connection of the proxy."""
    with client:
        head = b''
        while b'\r\n\r\n' not in head and len(head) < 1 << 14:
            data = client.recv(1 << 12)
            if not data:
                return
            head += data
        if not head.startswith(b'CONNECT ' + SERVICE.encode() + b':'):
            client.sendall(b'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')
            return
        client.sendall(b'HTTP/1.1 200 OK\r\n\r\n')
        try:
            here = context.wrap_socket(client, server_side=True)
        except OSError:
            return  # a test of clients that trust nobody
        with here, socket.create_connection(target) as there:
            back = threading.Thread(target=carry, args=(there, here), daemon=True)
            back.start()
            carry(here, there)
            back.join()


def main():
    endpoint = urllib.parse.urlsplit(os.environ['B2_ENDPOINT'])
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = os.path.join(folder, 'key.pem'), os.path.join(folder, 'certificate.pem')
        subprocess.run(
            ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1',
             '-subj', '/CN=' + SERVICE, '-addext', 'subjectAltName=DNS:' + SERVICE, '-keyout', key, '-out', certificate],
            check=True, stderr=subprocess.DEVNULL)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        listener = socket.create_server(('127.0.0.1', 0), backlog=128)

        def accept():
            while True:
                client, _ = listener.accept()
                threading.Thread(
                    target=serve, args=(client, context, (endpoint.hostname, endpoint.port)), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        proxy = 'http://127.0.0.1:%d' % listener.getsockname()[1]
        environ = dict(
            os.environ, HTTPS_PROXY=proxy, https_proxy=proxy, NO_PROXY='127.0.0.1', no_proxy='127.0.0.1',
            SSL_CERT_FILE=certificate, REQUESTS_CA_BUNDLE=certificate, RESTIC_CACERT=certificate)
        return subprocess.run(sys.argv[1:], env=environ).returncode


if __name__ == '__main__':
    sys.exit(main())
