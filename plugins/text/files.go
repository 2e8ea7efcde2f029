package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

const (
	mostFiles = 20_000
	mostBytes = 64 << 20 // of one file
)

// A document is a file that holds text.
type document struct {
	path    string
	content []byte
}

// What was passed over on the way.
type passed struct {
	Binary int `json:"binary"`
	Large  int `json:"large"`
	Failed int `json:"unreadable"`
}

// eachDocument gives the file at `place`, or every file below it whose name matches `names`, to `visit`, in the order
// of their names. Hidden folders, links, files that are no text and files above 64 MiB are passed over.
func eachDocument(place, names string, visit func(document) error) (passed, error) {
	var left passed
	if !filepath.IsAbs(place) {
		return left, fmt.Errorf("the path %q is not absolute", place)
	}
	if _, err := path.Match(names, ""); err != nil {
		return left, fmt.Errorf("the pattern of names %q is not valid", names)
	}
	if _, err := os.Stat(place); err != nil {
		return left, why(place, err)
	}
	seen := 0
	err := filepath.WalkDir(place, func(at string, entry fs.DirEntry, err error) error {
		if err != nil {
			left.Failed++
			return nil
		}
		if entry.IsDir() {
			if at != place && strings.HasPrefix(entry.Name(), ".") {
				return fs.SkipDir
			}
			return nil
		}
		if matches, _ := path.Match(names, entry.Name()); at != place && names != "" && !matches {
			return nil
		}
		if at != place && !entry.Type().IsRegular() {
			return nil
		}
		if seen++; seen > mostFiles {
			return fmt.Errorf("there are more than %d files below %q: name a folder that holds less", mostFiles, place)
		}
		return read(at, &left, visit)
	})
	return left, err
}

func read(at string, left *passed, visit func(document) error) error {
	file, err := os.Open(at)
	if err != nil {
		left.Failed++
		return nil
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, mostBytes+1))
	switch {
	case err != nil:
		left.Failed++
	case len(content) > mostBytes:
		left.Large++
	case bytes.IndexByte(content[:min(len(content), 8192)], 0) >= 0:
		left.Binary++
	default:
		return visit(document{at, content})
	}
	return nil
}

// why says what is wrong with a path, for somebody who may have to grant it.
func why(place string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%q is not there, or is not below a folder that was granted", place)
	}
	return fmt.Errorf("%q cannot be read: it is not there, or is not granted", place)
}
