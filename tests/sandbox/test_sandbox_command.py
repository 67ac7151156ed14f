"""`voiceops sandbox`: its switches on the command line."""

from __future__ import annotations

import socket
import subprocess
import sys

import httpx
import pytest


def test_switches_of_the_command_line_are_the_sandbox_s() -> None:
    command = [sys.executable, "-m", "voiceops", "sandbox", "--port-vapi", "0", "--port-twilio", "0"]
    process = subprocess.Popen(
        [*command, "--switch", "lag=1.5", "--switch", "adversarial=true"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip().removeprefix("VAPI_BASE_URL=")
        switches = httpx.get(f"{url}/_sandbox/switches").json()
        assert (switches["lag"], switches["adversarial"]) == (1.5, True)
    finally:
        process.terminate()
        process.communicate(timeout=90)


@pytest.mark.parametrize(
    ("switch", "expected"),
    [("lagg=1", "there is no switch 'lagg'"), ("lag=soon", "lag takes a float"), ("lag", "'lag' is no NAME=VALUE")],
)
def test_a_switch_that_is_none(switch: str, expected: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "voiceops", "sandbox", "--switch", switch], capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 1
    assert expected in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "voiceops", "sandbox", "--port-vapi", str(port), "--port-twilio", "0"]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 1
    assert f"port {port}: " in ran.stderr
    assert "choose another port" in ran.stderr
