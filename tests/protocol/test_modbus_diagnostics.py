"""Functions 8 and 11 as the specification has them (Application Protocol V1.1b3, 6.8 and 6.9)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.protocol import (
    Diagnose,
    DiagnoseResponse,
    ExceptionCode,
    LocalProtocolError,
    ModbusError,
    SerialDiagnostics,
    SubFunction,
    encode_pdu,
)
from rig.protocol.diagnostics import diagnose

COUNTS = {
    SubFunction.BUS_MESSAGE_COUNT: "bus_messages",
    SubFunction.BUS_ERROR_COUNT: "bus_errors",
    SubFunction.EXCEPTION_COUNT: "exceptions",
    SubFunction.SERVER_MESSAGE_COUNT: "server_messages",
    SubFunction.NO_RESPONSE_COUNT: "no_responses",
    SubFunction.OVERRUN_COUNT: "overruns",
}


@given(st.integers(0, 3 * 0xFFFF))
def test_every_counter_is_read_by_its_sub_function_and_wraps_at_16_bits(count: int) -> None:
    for sub_function, name in COUNTS.items():
        known = SerialDiagnostics(**{name: count})
        assert diagnose(Diagnose(sub_function), known).value == count & 0xFFFF
        for other in COUNTS.keys() - {sub_function}:
            assert diagnose(Diagnose(other), known).value == 0


@given(st.binary(min_size=2, max_size=250).filter(lambda data: len(data) % 2 == 0))
def test_query_data_come_back_as_they_are(data: bytes) -> None:
    assert diagnose(Diagnose(SubFunction.RETURN_QUERY_DATA, data), SerialDiagnostics()) == DiagnoseResponse(0, data)


def test_clearing_leaves_nothing_counted() -> None:
    known = SerialDiagnostics(1, 2, 3, 4, 5, 6, 7)
    diagnose(Diagnose(SubFunction.CLEAR_OVERRUN_COUNTER), known)
    assert known == SerialDiagnostics(1, 2, 3, 4, 5, 0, 7)
    diagnose(Diagnose(SubFunction.CLEAR_COUNTERS), known)
    assert known == SerialDiagnostics()


def test_only_a_restart_ends_listening() -> None:
    known = SerialDiagnostics()
    diagnose(Diagnose(SubFunction.FORCE_LISTEN_ONLY), known)
    assert known.listen_only
    diagnose(Diagnose(SubFunction.CLEAR_COUNTERS), known)
    assert known.listen_only
    diagnose(Diagnose(SubFunction.RESTART_COMMUNICATIONS, b"\xff\x00"), known)
    assert not known.listen_only


@pytest.mark.parametrize("sub_function", [3, 5, 9, 19, 21, 0xFFFF])
def test_a_sub_function_without_meaning_is_declined_with_exception_1(sub_function: int) -> None:
    with pytest.raises(ModbusError) as caught:
        diagnose(Diagnose(sub_function), SerialDiagnostics())
    assert caught.value.code == ExceptionCode.ILLEGAL_FUNCTION


@pytest.mark.parametrize("sub_function", [1, 2, 4, 10, 11, 18, 20])
def test_data_that_it_cannot_have_are_declined_with_exception_3(sub_function: int) -> None:
    with pytest.raises(ModbusError) as caught:
        diagnose(Diagnose(sub_function, b"\x12\x34"), SerialDiagnostics())
    assert caught.value.code == ExceptionCode.ILLEGAL_DATA_VALUE


@pytest.mark.parametrize("data", [b"", b"\0", b"\0" * 3, b"\0" * 252])
def test_data_are_words_that_fit_a_frame(data: bytes) -> None:
    with pytest.raises(LocalProtocolError, match="2 to 250 and an even number"):
        encode_pdu(Diagnose(0, data))
