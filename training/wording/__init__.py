"""The grammar of questions and descriptions, shared by pretraining and the embedded agents.

`phrases.toml` holds the wordings, `timeline` what is spoken about, `asks` what can be asked of a
fact, `phrasing` puts an ask into words, `describe` writes a shot down.
"""
