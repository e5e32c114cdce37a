"""Results beyond what the database takes, in an object store that speaks S3's language.

`bucket` is the store, and loads obstore; `results` writes results there, reads them, and removes what is
nobody's any more.
"""
