"""Refiners inside the tools that people draw in, and a page to try one: Label Studio, CVAT, Gradio.

Each is a thin layer: it makes an annotation of what the tool says, refines it, and answers in the tool's own shapes.
"""
