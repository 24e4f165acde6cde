// Asks for one address again and again at several connections. Prints JSON: answers a second, and the slowest, in ms.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"io"
	"log"
	"net/http"
	"os"
	"sort"
	"sync"
	"time"
)

var (
	address = flag.String("url", "", "what to ask for")
	ca      = flag.String("ca", "", "file of the authority to trust")
	token   = flag.String("token", "", "bearer token")
	clients = flag.Int("clients", 8, "connections at once")
	seconds = flag.Float64("seconds", 3, "how long")
	fresh   = flag.Bool("fresh", false, "a new connection for each request, as docker makes")
)

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func ask(c *http.Client) {
	request, err := http.NewRequest("GET", *address, nil)
	must(err)
	request.Header.Set("Authorization", "Bearer "+*token)
	answer, err := c.Do(request)
	must(err)
	body, err := io.ReadAll(answer.Body)
	must(err)
	answer.Body.Close()
	if answer.StatusCode != 200 {
		log.Fatalf("%s: %s", answer.Status, body)
	}
}

func main() {
	flag.Parse()
	pem, err := os.ReadFile(*ca)
	must(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	c := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool}, DisableCompression: true, MaxIdleConnsPerHost: *clients,
		DisableKeepAlives: *fresh,
	}}
	ask(c)
	var lock sync.Mutex
	var group sync.WaitGroup
	var times []float64
	began := time.Now()
	for i := 0; i < *clients; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			var own []float64
			for time.Since(began).Seconds() < *seconds {
				asked := time.Now()
				ask(c)
				own = append(own, time.Since(asked).Seconds()*1000)
			}
			lock.Lock()
			times = append(times, own...)
			lock.Unlock()
		}()
	}
	group.Wait()
	rate := float64(len(times)) / time.Since(began).Seconds()
	sort.Float64s(times)
	must(json.NewEncoder(os.Stdout).Encode(map[string]float64{
		"rate": rate, "p99": times[len(times)*99/100], "slowest": times[len(times)-1],
	}))
}
