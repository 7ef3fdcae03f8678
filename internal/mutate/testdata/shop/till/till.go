// Package till stands above price.
package till

import "example.org/shop/price"

// Sign is what hangs above the till.
func Sign() string { return price.Greeting("") + "!" }
