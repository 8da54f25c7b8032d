// Checks a charm the way Juju does, with Juju's own parser: charm-check FOLDER|FILE.charm
package main

import (
	"fmt"
	"os"

	"github.com/juju/charm/v12"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: charm-check FOLDER|FILE.charm")
		os.Exit(2)
	}
	if _, err := charm.ReadCharm(os.Args[1]); err != nil {
		fmt.Fprintf(os.Stderr, "cannot read charm %q: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}
