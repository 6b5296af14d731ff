"""What an adapter is made from and lives in: corpus, wordings, backbone, SFT, NKR, mounting."""
