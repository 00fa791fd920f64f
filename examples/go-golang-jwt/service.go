// A service whose /profile needs an access token of Countersign, checked with golang-jwt.
package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

var alg, issuer, audience = os.Getenv("ALG"), os.Getenv("ISSUER"), os.Getenv("AUDIENCE")

func main() {
	// The issuer's public keys, kept fresh in the background; HS256 shares a secret instead.
	var own any = []byte(os.Getenv("SECRET"))
	find := func(*jwt.Token) (any, error) { return own, nil }
	if len(os.Args) > 1 && os.Args[1] == "sign" {
		if alg != "HS256" {
			block, _ := pem.Decode(must(os.ReadFile(os.Getenv("KEY_FILE"))))
			own = must(x509.ParsePKCS8PrivateKey(block.Bytes))
		}
		claims := jwt.MapClaims{"iss": issuer, "aud": audience, "sub": "ada", "exp": time.Now().Unix() + 600}
		fmt.Println(must(jwt.NewWithClaims(jwt.GetSigningMethod(alg), claims).SignedString(own)))
		return
	} else if alg != "HS256" {
		find = must(keyfunc.NewDefault([]string{os.Getenv("JWKS_URL")})).Keyfunc
	}
	// The expectations stand here; the token's header decides nothing.
	parser := jwt.NewParser(jwt.WithValidMethods([]string{alg}), jwt.WithIssuer(issuer),
		jwt.WithAudience(audience), jwt.WithExpirationRequired())
	http.HandleFunc("GET /profile", func(w http.ResponseWriter, r *http.Request) {
		scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		status, message := 401, "No token provided"
		if strings.EqualFold(scheme, "bearer") && text != "" {
			message = "Invalid token"
			if token, err := parser.Parse(text, find); err == nil && token.Header["typ"] == "at+jwt" {
				status, message = 200, "Welcome, "+must(token.Claims.GetSubject())
			}
		}
		w.WriteHeader(status)
		fmt.Fprintln(w, message)
	})
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	fmt.Println("listening", listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(http.Serve(listener, nil))
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
