"""Networks as ONNX graphs: exporting them needs torch, refining with them needs ONNX Runtime and no torch."""
