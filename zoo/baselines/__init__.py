"""Rules without a network, behind the interface of a refiner."""
