package price

import (
	"os"
	"testing"
	"time"
)

func TestTotal(t *testing.T) {
	if n, err := Total(1, 2, 3); n != 6 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := Total(160, 160); n != 0 || err == nil {
		t.Fatal(n, err)
	}
}

func TestHalves(t *testing.T) {
	if n := Halves(16); n != 4 {
		t.Fatal(n)
	}
}

func TestPair(t *testing.T) {
	Greeting("")
	if n := Pair("", 1, "", ""); n != 2 {
		t.Fatal(n)
	}
}

// TestShelf is slow.
func TestShelf(t *testing.T) {
	time.Sleep(150 * time.Millisecond)
	s := newShelf("a")
	s.put("b")
	if len(s.things) != 2 || s.kind() != "shelf" {
		t.Fatal(s)
	}
}

// TestSquare does not pass with a bundle, as tests that count allocations may not.
func TestSquare(t *testing.T) {
	if _, bundle := os.LookupEnv("MUTATE_MUTANT"); bundle {
		t.Fatal("this is a bundle")
	}
	if Square(3) != 9 {
		t.Fatal()
	}
}
