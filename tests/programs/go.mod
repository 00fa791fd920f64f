module countersign/programs

go 1.22

require (
	github.com/MicahParks/keyfunc/v3 v3.4.0
	github.com/golang-jwt/jwt/v5 v5.3.1
)

require (
	github.com/MicahParks/jwkset v0.8.0 // indirect
	golang.org/x/time v0.9.0 // indirect
)
