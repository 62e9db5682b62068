package app

// SealedColumns are the names of all columns that are sealed anew.
func SealedColumns() []string {
	var names []string
	for _, c := range sealedColumns {
		names = append(names, c.Table+"."+c.Column)
	}
	return names
}
