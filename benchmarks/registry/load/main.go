// Measures one registry: manifest GETs, small blob uploads, and one large blob up and down. Prints JSON.
package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

var (
	address  = flag.String("address", "", "where the registry listens")
	host     = flag.String("host", "", "its name")
	ca       = flag.String("ca", "", "file of the authority to trust")
	token    = flag.String("token", "", "bearer token, or empty")
	repo     = flag.String("repo", "bench/app", "repository")
	clients  = flag.Int("clients", 8, "connections at once")
	seconds  = flag.Float64("seconds", 3, "how long each count takes")
	small    = flag.Int("small", 1024, "bytes of a small blob")
	large    = flag.Int("large", 512, "MiB of the large blob")
	measures = flag.String("measures", "get,small,large", "what to measure")
)

const manifestType = "application/vnd.oci.image.manifest.v1+json"

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// The docker engine speaks HTTP/1.1; curl, crane, oras and containerd take HTTP/2 where it is offered.
func client(newest bool) *http.Client {
	pem, err := os.ReadFile(*ca)
	must(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	dial := func(network, _ string) (net.Conn, error) { return net.Dial(network, *address) }
	return &http.Client{Transport: &http.Transport{
		Dial: dial, TLSClientConfig: &tls.Config{RootCAs: pool}, DisableCompression: true,
		ForceAttemptHTTP2: newest, MaxIdleConnsPerHost: *clients, WriteBufferSize: 256 << 10, ReadBufferSize: 256 << 10,
	}}
}

func do(c *http.Client, method, address string, body []byte, contentType string, want int) *http.Response {
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	request, err := http.NewRequest(method, address, reader)
	must(err)
	if *token != "" {
		request.Header.Set("Authorization", "Bearer "+*token)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
		request.Header.Set("Accept", contentType)
	}
	answer, err := c.Do(request)
	must(err)
	_, err = io.Copy(io.Discard, answer.Body)
	must(err)
	answer.Body.Close()
	if answer.StatusCode != want {
		log.Fatalf("%s %s: %s", method, address, answer.Status)
	}
	return answer
}

func digestOf(data []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(data)) }

func upload(c *http.Client, data []byte, digest string) {
	base := "https://" + *host
	answer := do(c, "POST", base+"/v2/"+*repo+"/blobs/uploads/", nil, "", 202)
	location, err := answer.Location()
	must(err)
	query := location.Query()
	query.Set("digest", digest)
	location.RawQuery = query.Encode()
	location.Host = *host
	do(c, "PUT", location.String(), data, "application/octet-stream", 201)
}

// download returns the MiB/s of the large blob.
func download(c *http.Client, digest string) float64 {
	began := time.Now()
	do(c, "GET", "https://"+*host+"/v2/"+*repo+"/blobs/"+url.PathEscape(digest), nil, "", 200)
	return float64(*large) / time.Since(began).Seconds()
}

func perSecond(work func()) float64 {
	var count int64
	var group sync.WaitGroup
	began := time.Now()
	for i := 0; i < *clients; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for time.Since(began).Seconds() < *seconds {
				work()
				atomic.AddInt64(&count, 1)
			}
		}()
	}
	group.Wait()
	return float64(count) / time.Since(began).Seconds()
}

func main() {
	flag.Parse()
	c := client(false)
	found := map[string]float64{}
	config := []byte("{}")
	upload(c, config, digestOf(config))
	layer := fmt.Sprintf(`{"mediaType":"application/octet-stream","digest":"%s","size":2}`, digestOf(config))
	manifest := []byte(fmt.Sprintf(`{"schemaVersion":2,"mediaType":"%s","config":%s,"layers":[%s]}`, manifestType, layer, layer))
	at := "https://" + *host + "/v2/" + *repo + "/manifests/v1"
	do(c, "PUT", at, manifest, manifestType, 201)
	if strings.Contains(*measures, "get") {
		found["get"] = perSecond(func() { do(c, "GET", at, nil, manifestType, 200) })
	}
	if strings.Contains(*measures, "small") {
		found["small"] = perSecond(func() {
			data := make([]byte, *small)
			rand.Read(data)
			upload(c, data, digestOf(data))
		})
	}
	if strings.Contains(*measures, "large") {
		data := make([]byte, *large<<20)
		rand.Read(data)
		digest := digestOf(data)
		began := time.Now()
		upload(c, data, digest)
		found["upload"] = float64(*large) / time.Since(began).Seconds()
		found["download1"] = download(c, digest)
		found["download"] = download(client(true), digest)
	}
	must(json.NewEncoder(os.Stdout).Encode(found))
}
