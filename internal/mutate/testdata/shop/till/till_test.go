package till

import "testing"

func TestSign(t *testing.T) {
	if s := Sign(); s != "hello!" {
		t.Fatal(s)
	}
}
