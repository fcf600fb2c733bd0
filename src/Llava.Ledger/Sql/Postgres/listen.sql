listen llava_ledger;
