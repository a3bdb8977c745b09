"""One network a file, each with a final class ``Network``: a new network is one file and one row in `zoo.variants`."""
