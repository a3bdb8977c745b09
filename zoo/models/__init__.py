"""One network a file, made of layers; `zoo.variants` lists them."""
