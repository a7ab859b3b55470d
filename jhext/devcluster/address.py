"""The loopback addresses of pods: 127.77.x.y, which Linux answers without any set-up."""

from __future__ import annotations

import errno
import socket
from collections import deque

_LEASE_PORT = 10250
"""The port of a kubelet, which marks a subnet as taken; it is never listened on."""


class AddressError(RuntimeError):
    """No addresses for pods can be had on this machine."""


class PodAddresses:
    """The pod addresses of one cluster: a /24 below 127.77 that no other cluster has.

    Pods may all listen on the same port, so two clusters on one machine must not share addresses.
    A bound socket holds the subnet, which the kernel frees however the cluster ends.

    Raises
    ------
    AddressError
        When every subnet is taken, or the machine has only 127.0.0.1 (as macOS has).
    """

    def __init__(self) -> None:
        self._lease = socket.socket()
        subnet = self._take_subnet()
        self.host = f"127.77.{subnet}.1"
        self._free = deque(f"127.77.{subnet}.{number}" for number in range(2, 255))

    def _take_subnet(self) -> int:
        for subnet in range(256):
            try:
                self._lease.bind((f"127.77.{subnet}.1", _LEASE_PORT))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    continue
                self._lease.close()
                raise AddressError(
                    f"pods need addresses such as 127.77.0.1, as Linux has them: {error.strerror}"
                ) from error
            return subnet
        self._lease.close()
        raise AddressError("256 embedded clusters are running already")

    def allocate(self) -> str:
        """Return an address that no pod has.

        Raises
        ------
        AddressError
            When there is none.
        """
        if not self._free:
            raise AddressError("no free pod address")
        return self._free.popleft()

    def release(self, address: str) -> None:
        """Give an address back; it is used again last."""
        self._free.append(address)

    def close(self) -> None:
        """Give the subnet back."""
        self._lease.close()
