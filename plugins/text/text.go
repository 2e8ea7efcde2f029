// Counts, lists and finds words in text files. It reads what was granted and changes nothing.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	mostMatches = 1000
	mostWords   = 1000
	mostLine    = 400 // characters of a line that is shown
)

var errEnough = errors.New("enough was found")

var tools = []tool{
	{"count", "Counts lines, words and characters of a text file, or of all text files in a folder", schema(object{}), count},
	{"frequencies", "Lists the most frequent words of a text file or of a folder's text files", schema(object{
		"top": number(20, mostWords), "min_length": number(1, 100),
	}), frequencies},
	{"find", "Finds the lines that match a text or a regular expression (RE2)", schema(object{
		"pattern": object{"type": "string", "minLength": 1, "maxLength": 1000},
		"regex":   object{"type": "boolean", "default": false}, "ignore_case": object{"type": "boolean", "default": false},
		"limit": number(100, mostMatches),
	}, "pattern"), find},
}

func number(usual, most int) object {
	return object{"type": "integer", "minimum": 1, "maximum": most, "default": usual}
}

// schema returns the schema of arguments that name a place, and more.
func schema(more object, required ...string) object {
	more["path"] = object{"type": "string", "description": "An absolute path of a file or folder."}
	more["names"] = object{"type": "string", "description": "Only files with such names in a folder, e.g. *.md"}
	return object{
		"type": "object", "properties": more, "required": append([]string{"path"}, required...),
		"additionalProperties": false,
	}
}

func count(arguments json.RawMessage) (object, error) {
	var given struct{ Path, Names string }
	if err := json.Unmarshal(arguments, &given); err != nil {
		return nil, err
	}
	files, lines, words, characters, size := 0, 0, 0, 0, 0
	left, err := eachDocument(given.Path, given.Names, func(one document) error {
		files++
		lines += bytes.Count(one.content, []byte("\n"))
		if len(one.content) > 0 && one.content[len(one.content)-1] != '\n' {
			lines++
		}
		words += len(bytes.Fields(one.content))
		characters += utf8.RuneCount(one.content)
		size += len(one.content)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return object{
		"files": files, "lines": lines, "words": words, "characters": characters, "bytes": size, "passed_over": left,
	}, nil
}

func frequencies(arguments json.RawMessage) (object, error) {
	given := struct {
		Path, Names string
		Top         int `json:"top"`
		MinLength   int `json:"min_length"`
	}{Top: 20, MinLength: 1}
	if err := json.Unmarshal(arguments, &given); err != nil {
		return nil, err
	}
	counted := map[string]int{}
	left, err := eachDocument(given.Path, given.Names, func(one document) error {
		for _, word := range bytes.FieldsFunc(one.content, between) {
			if utf8.RuneCount(word) >= given.MinLength {
				counted[strings.ToLower(string(word))]++
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	words := make([]string, 0, len(counted))
	for word := range counted {
		words = append(words, word)
	}
	sort.Slice(words, func(i, j int) bool {
		a, b := words[i], words[j]
		return counted[a] > counted[b] || counted[a] == counted[b] && a < b
	})
	top := []object{}
	for _, word := range words[:max(0, min(given.Top, len(words), mostWords))] {
		top = append(top, object{"word": word, "count": counted[word]})
	}
	return object{"words": top, "distinct": len(counted), "passed_over": left}, nil
}

// between says whether a character stands between words; an apostrophe does not.
func between(one rune) bool {
	return !unicode.IsLetter(one) && !unicode.IsNumber(one) && !unicode.IsMark(one) && one != '\'' && one != '’'
}

func find(arguments json.RawMessage) (object, error) {
	given := struct {
		Path, Names, Pattern string
		Regex                bool `json:"regex"`
		IgnoreCase           bool `json:"ignore_case"`
		Limit                int  `json:"limit"`
	}{Limit: 100}
	if err := json.Unmarshal(arguments, &given); err != nil {
		return nil, err
	}
	pattern, err := compiled(given.Pattern, given.Regex, given.IgnoreCase)
	if err != nil {
		return nil, err
	}
	matches, limit := []object{}, max(1, min(given.Limit, mostMatches))
	left, err := eachDocument(given.Path, given.Names, func(one document) error {
		for at, line := range bytes.Split(one.content, []byte("\n")) {
			if !pattern.Match(line) {
				continue
			}
			if len(matches) == limit {
				return errEnough
			}
			matches = append(matches, object{"path": one.path, "line": at + 1, "text": shown(line)})
		}
		return nil
	})
	if err != nil && err != errEnough {
		return nil, err
	}
	return object{"matches": matches, "more": err == errEnough, "passed_over": left}, nil
}

func compiled(pattern string, isRegex, ignoreCase bool) (*regexp.Regexp, error) {
	if !isRegex {
		pattern = regexp.QuoteMeta(pattern)
	}
	if ignoreCase {
		pattern = "(?i)" + pattern
	}
	found, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("the pattern is no regular expression: %w", err)
	}
	return found, nil
}

// shown returns a line as text, cut where it is long.
func shown(line []byte) string {
	runes := []rune(strings.ToValidUTF8(strings.TrimSuffix(string(line), "\r"), "\uFFFD"))
	if len(runes) > mostLine {
		return string(runes[:mostLine]) + "…"
	}
	return string(runes)
}
