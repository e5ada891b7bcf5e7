"""Prints the descriptors inside generated *_pb2.py files of wheels, without running any of them.

Arguments: wheels. Output: one line per definition file, its serialized FileDescriptorProto in base64.
"""

import ast
import base64
import sys
import zipfile


def serialized_descriptors(source):
    """The argument of every AddSerializedFile(b'...') call."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "AddSerializedFile":
            yield node.args[0].value


for path in sys.argv[1:]:
    with zipfile.ZipFile(path) as wheel:
        for name in wheel.namelist():
            if name.endswith("_pb2.py"):
                for descriptor in serialized_descriptors(wheel.read(name).decode()):
                    print(base64.b64encode(descriptor).decode())
