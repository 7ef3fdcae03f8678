#!/bin/bash -eu
# Builds the fuzz targets that need no Erlang, and their seeds, within the builder
# image of OSS-Fuzz for Go.

cd "$SRC/goepmd"

# The tool replaces package testing in the targets by one of its own, which then has
# to be in go.mod. A file that imports it keeps it there.
printf 'package fuzz\n\nimport _ "github.com/AdamKorcz/go-118-fuzz-build/testing"\n' >fuzz/libfuzzer.go
go mod tidy

# The differential target needs OTP's epmd, and is not for here.
rm -f fuzz/differential_test.go

package=github.com/goepmd/goepmd/fuzz
for target in Request Reply Frame State Session Server; do
	name=fuzz_$(echo "$target" | tr '[:upper:]' '[:lower:]')
	compile_native_go_fuzzer "$package" "Fuzz$target" "$name"
done

# The seeds of the targets with one argument, as plain bytes: libFuzzer does not
# read Go's format, and packs several arguments in a way of its own.
go run ./fuzz/seeds -plain "$WORK/seeds"
for target in Request Reply Frame State; do
	name=fuzz_$(echo "$target" | tr '[:upper:]' '[:lower:]')
	zip -q -j "$OUT/${name}_seed_corpus.zip" "$WORK/seeds/Fuzz$target"/*
done
