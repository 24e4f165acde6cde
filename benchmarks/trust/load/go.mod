module aztrust/load

go 1.19
