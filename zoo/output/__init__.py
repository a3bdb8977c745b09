"""What refining leaves in a folder: masks, pictures, and a record of each photograph, by which it goes on later."""
