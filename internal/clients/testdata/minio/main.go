// Minio-files works with a bucket as programs on minio-go do, in every form of
// content that this library sends, and reads everything back. It prints a step
// before it takes it and ends with the first that fails:
//
//	minio-files ENDPOINT BUCKET
//
// with the key in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

type files struct {
	*minio.Client
	trailing *minio.Client // sends checksums after the content
	ctx      context.Context
	bucket   string
}

// connect makes a client. Without a region minio-go asks for the bucket's.
func connect(trailing bool) *minio.Client {
	client, err := minio.New(os.Args[1], &minio.Options{
		Creds:           credentials.NewStaticV4(os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), ""),
		TrailingHeaders: trailing, MaxRetries: 1,
	})
	if err != nil {
		fail(err)
	}
	return client
}

func main() {
	f := files{connect(false), connect(true), context.Background(), os.Args[2]}
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"put", f.put}, {"put in parts", f.putParts}, {"compose", f.compose}, {"share", f.share}, {"list", f.list}, {"delete", f.delete},
	} {
		fmt.Println(step.name)
		if err := step.do(); err != nil {
			fail(err)
		}
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err, minio.ToErrorResponse(err).Code)
	os.Exit(1)
}

func (f files) check(name string, want []byte) error {
	object, err := f.GetObject(f.ctx, f.bucket, name, minio.GetObjectOptions{})
	if err != nil {
		return err
	}
	got, err := io.ReadAll(object)
	if err == nil && !bytes.Equal(got, want) {
		err = fmt.Errorf("%s holds %d bytes, not the %d that were put", name, len(got), len(want))
	}
	return errors.Join(err, object.Close())
}

// put sends content signed in chunks, with checksums after it, with digests
// before it, and unsigned.
func (f files) put() error {
	content := bytes.Repeat([]byte("small "), 20_000)
	for name, o := range map[string]minio.PutObjectOptions{
		"streamed": {},
		"crc32c":   {Checksum: minio.ChecksumCRC32C},
		"sha256":   {Checksum: minio.ChecksumSHA256},
		"crc64":    {Checksum: minio.ChecksumCRC64NVME},
		"md5":      {SendContentMd5: true},
		"unsigned": {DisableContentSha256: true},
		"ü %+&/x":  {UserMetadata: map[string]string{"Color": "red"}, ContentType: "text/plain", CacheControl: "max-age=1"},
	} {
		client := f.Client
		if o.Checksum.IsSet() {
			client = f.trailing
		}
		info, err := client.PutObject(f.ctx, f.bucket, name, bytes.NewReader(content), int64(len(content)), o)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if info.VersionID == "" {
			return fmt.Errorf("%s has no version", name)
		}
		if err := f.check(name, content); err != nil {
			return err
		}
	}
	info, err := f.StatObject(f.ctx, f.bucket, "ü %+&/x", minio.StatObjectOptions{})
	if err == nil && (info.UserMetadata["Color"] != "red" || info.ContentType != "text/plain" ||
		info.Metadata.Get("Cache-Control") != "max-age=1") {
		err = fmt.Errorf("the metadata are %v", info)
	}
	return err
}

func (f files) putParts() error {
	content := bytes.Repeat([]byte("large "), 2_000_000)
	for name, size := range map[string]int64{"large": int64(len(content)), "endless": -1} {
		_, err := f.PutObject(f.ctx, f.bucket, name, bytes.NewReader(content), size, minio.PutObjectOptions{PartSize: 5 << 20})
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := f.check(name, content); err != nil {
			return err
		}
	}
	_, err := minio.Core{Client: f.Client}.NewMultipartUpload(f.ctx, f.bucket, "left", minio.PutObjectOptions{})
	if err != nil {
		return err
	}
	return f.RemoveIncompleteUpload(f.ctx, f.bucket, "left")
}

func (f files) compose() error {
	large := minio.CopySrcOptions{Bucket: f.bucket, Object: "large"}
	_, err := f.ComposeObject(f.ctx, minio.CopyDestOptions{Bucket: f.bucket, Object: "composed"}, large, large)
	if err == nil {
		_, err = f.CopyObject(f.ctx, minio.CopyDestOptions{Bucket: f.bucket, Object: "copied"}, large)
	}
	return err
}

func (f files) share() error {
	link, err := f.PresignedGetObject(f.ctx, f.bucket, "md5", time.Minute, nil)
	if err != nil {
		return err
	}
	response, err := http.Get(link.String())
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		err = errors.New("the link: " + response.Status)
	}
	return errors.Join(err, response.Body.Close())
}

func (f files) list() error {
	n := 0
	for o := range f.ListObjects(f.ctx, f.bucket, minio.ListObjectsOptions{Recursive: true, MaxKeys: 3}) {
		if o.Err != nil {
			return o.Err
		}
		n++
	}
	if n != 11 {
		return fmt.Errorf("%d objects are listed, not 11", n)
	}
	return nil
}

func (f files) delete() error {
	for o := range f.ListObjects(f.ctx, f.bucket, minio.ListObjectsOptions{Recursive: true, WithVersions: true}) {
		if o.Err != nil {
			return o.Err
		}
		if err := f.RemoveObject(f.ctx, f.bucket, o.Key, minio.RemoveObjectOptions{VersionID: o.VersionID}); err != nil {
			return err
		}
	}
	return nil
}
