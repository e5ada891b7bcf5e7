"""Runs inside a container: sends traces, metrics and logs with the OpenTelemetry SDK for Python.

Arguments: protocol (grpc or http), number of items of each signal. The container's identity comes
from OTEL_RESOURCE_ATTRIBUTES, which otel-inode.sh has set before this program started.
"""

import logging
import os
import sys

from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import OTELResourceDetector, get_aggregated_resources
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


def span_exporter(protocol: str):
    if protocol != "grpc":
        return OTLPSpanExporter()
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import (
        OTLPSpanExporter as GrpcSpanExporter,
    )

    return GrpcSpanExporter(endpoint=os.environ["OTLP_GRPC_ENDPOINT"], insecure=True)


def main() -> None:
    logging.basicConfig(level=logging.WARNING)
    protocol, count = sys.argv[1], int(sys.argv[2])
    resource = get_aggregated_resources([OTELResourceDetector()])

    tracer_provider = TracerProvider(resource=resource)
    tracer_provider.add_span_processor(BatchSpanProcessor(span_exporter(protocol)))
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(), export_interval_millis=60_000)
    meter_provider = MeterProvider(resource=resource, metric_readers=[reader])
    logger_provider = LoggerProvider(resource=resource)
    logger_provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))

    tracer = tracer_provider.get_tracer("e2e")
    counter = meter_provider.get_meter("e2e").create_counter("e2e.counter")
    logger = logger_provider.get_logger("e2e")
    for index in range(count):
        tracer.start_span(f"span {index}").end()
        counter.add(1, {"index": index})
        logger.emit(severity_number=SeverityNumber.INFO, body=f"record {index}")

    tracer_provider.shutdown()
    meter_provider.shutdown()
    logger_provider.shutdown()


main()
