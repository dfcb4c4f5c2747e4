// Clients of ours stand in for the applications of the examples that run on
// other machines only: Photos+ on iOS, and CrushFTP. They take the settings as
// `b2form apply` has delivered them, and do what the application does.
//
//	apps photos-plus STEP     one step of Photos+; see photos.go
//	apps crushftp FILE        all that CrushFTP does with the URLs in the file
//	apps proxied HOSTS COMMAND...
//	                          runs a command behind a proxy; see proxy.go
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const region = "us-west-004"

func main() {
	var err error
	switch args := os.Args[1:]; {
	case len(args) == 2 && args[0] == "photos-plus":
		err = photosPlus(context.Background(), args[1])
	case len(args) == 2 && args[0] == "crushftp":
		err = crushFTP(context.Background(), args[1])
	case len(args) > 2 && args[0] == "proxied":
		err = proxied(args[1], args[2:])
	default:
		err = errors.New("usage: apps photos-plus STEP | crushftp FILE | proxied HOSTS COMMAND...")
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func connect(endpoint, id, secret string) *s3.Client {
	return s3.New(s3.Options{
		Region: region, BaseEndpoint: &endpoint, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(id, secret, ""),
	})
}

// names are those of the objects below a prefix.
func names(ctx context.Context, client *s3.Client, bucket, prefix string) ([]string, error) {
	var found []string
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix, MaxKeys: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, o := range page.Contents {
			found = append(found, *o.Key)
		}
	}
	return found, nil
}

// versions are all in the bucket, and the markers of what was deleted.
func versions(ctx context.Context, client *s3.Client, bucket string) ([]types.ObjectVersion, []types.DeleteMarkerEntry, error) {
	out, err := client.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: &bucket})
	if err != nil {
		return nil, nil, err
	}
	return out.Versions, out.DeleteMarkers, nil
}

func check(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}

type step struct {
	name string
	run  func() error
}

// walk does the steps in order, and names the one that fails.
func walk(steps []step) error {
	for _, s := range steps {
		if err := s.run(); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	fmt.Printf("%d steps pass\n", len(steps))
	return nil
}
