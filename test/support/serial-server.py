"""A serial port that says what it is told, behind pySerial's own RFC 2217 server; prints what is set."""

import socket
import sys
import threading

import serial
import serial.rfc2217
from serial.urlhandler import protocol_loop


def tell(text):
    print(text, flush=True)


class Port(protocol_loop.Serial):
    def _update_rts_state(self):
        tell(f"rts {int(self._rts_state)}")
        super()._update_rts_state()

    def _update_dtr_state(self):
        tell(f"dtr {int(self._dtr_state)}")
        super()._update_dtr_state()


class Connection:
    def __init__(self, peer):
        self.lock = threading.Lock()
        self.peer = peer

    def write(self, data):
        with self.lock:
            self.peer.sendall(data)


port = Port()
port.port = "loop://"
port.timeout = 0.05
port.open()
server = socket.create_server(("127.0.0.1", 0))
tell(f"listening {server.getsockname()[1]}")
peer, _ = server.accept()
connection = Connection(peer)
manager = serial.rfc2217.PortManager(port, connection)


def talk():
    while True:
        data = port.read(port.in_waiting or 1)
        if data:
            connection.write(b"".join(manager.escape(data)))


threading.Thread(target=talk, daemon=True).start()
baud = port.baudrate
while True:
    data = peer.recv(1024)
    if not data:
        break
    for byte in manager.filter(data):
        port.write(byte)
    if port.baudrate != baud:
        baud = port.baudrate
        tell(f"baud {baud} {port.bytesize}{port.parity}{port.stopbits}")
sys.exit(0)
