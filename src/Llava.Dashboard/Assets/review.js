// Keys of the gallery.
