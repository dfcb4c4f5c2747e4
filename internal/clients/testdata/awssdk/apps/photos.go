package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// A library is what Photos+ keeps in the bucket.
type library struct {
	ctx    context.Context
	client *s3.Client
	bucket *string
}

// photosPlus does a step: connect, build or aged. The variables BUCKET,
// ENDPOINT, KEY_ID and APP_KEY have what the fields of the application get.
func photosPlus(ctx context.Context, name string) error {
	l := &library{ctx, connect(os.Getenv("ENDPOINT"), os.Getenv("KEY_ID"), os.Getenv("APP_KEY")), aws.String(os.Getenv("BUCKET"))}
	switch name {
	case "connect":
		return walk([]step{{"find the bucket", l.find}, {"want it empty", l.wantEmpty}})
	case "build":
		return walk([]step{
			{"upload in parts", l.upload}, {"resume an upload", l.resume}, {"replace metadata", l.replace}, {"delete a photo", l.delete},
			{"list by prefix", l.list}, {"see the old versions", func() error { return l.holds(5, 1) }},
		})
	case "aged":
		return walk([]step{{"see no old versions", func() error { return l.holds(3, 0) }}, {"list by prefix", l.list}, {"read", l.read}})
	}
	return fmt.Errorf("%q is no step of Photos+", name)
}

func (l *library) find() error {
	all, err := l.client.ListBuckets(l.ctx, &s3.ListBucketsInput{})
	if err != nil {
		return err
	}
	found := slices.ContainsFunc(all.Buckets, func(b types.Bucket) bool { return *b.Name == *l.bucket })
	_, err = l.client.HeadBucket(l.ctx, &s3.HeadBucketInput{Bucket: l.bucket})
	return errors.Join(err, check(found, "%s is not listed", *l.bucket))
}

func (l *library) wantEmpty() error {
	found, err := names(l.ctx, l.client, *l.bucket, "")
	return errors.Join(err, check(len(found) == 0, "the bucket is not empty: %q", found))
}

// photo is the content of a photo: two parts, the second not full.
func photo() []byte { return bytes.Repeat([]byte("0123456789abcdef"), 8<<20/16) }

const (
	partSize   = 5 << 20
	first      = "photos/2026/a.heic"
	second     = "photos/2026/b.heic"
	deleted    = "photos/2026/deleted.heic"
	metadata   = "metadata/library.json"
	ofMetadata = `{"photos": 2}`
)

func (l *library) upload() error {
	uploader := manager.NewUploader(l.client, func(u *manager.Uploader) { u.PartSize = partSize })
	for name, content := range map[string]io.Reader{
		first: bytes.NewReader(photo()), deleted: strings.NewReader("pixels"), metadata: strings.NewReader(`{}`),
	} {
		in := &s3.PutObjectInput{Bucket: l.bucket, Key: &name, Body: content, Metadata: map[string]string{"taken": "2026-11-29"}}
		if _, err := uploader.Upload(l.ctx, in); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	head, err := l.client.HeadObject(l.ctx, &s3.HeadObjectInput{Bucket: l.bucket, Key: aws.String(first)})
	if err != nil {
		return err
	}
	return check(*head.ContentLength == int64(len(photo())) && head.Metadata["taken"] == "2026-11-29",
		"%s has %d bytes and %v", first, *head.ContentLength, head.Metadata)
}

// resume uploads one part, and as an application that was started again finds
// the upload and the parts that are missing.
func (l *library) resume() error {
	begun, err := l.client.CreateMultipartUpload(l.ctx, &s3.CreateMultipartUploadInput{Bucket: l.bucket, Key: aws.String(second)})
	if err != nil {
		return err
	}
	if err := l.part(begun.UploadId, 1, photo()[:partSize]); err != nil {
		return err
	}
	uploads, err := l.client.ListMultipartUploads(l.ctx, &s3.ListMultipartUploadsInput{Bucket: l.bucket})
	if err != nil {
		return err
	}
	if len(uploads.Uploads) != 1 || *uploads.Uploads[0].Key != second {
		return fmt.Errorf("%d unfinished uploads are found", len(uploads.Uploads))
	}
	id := uploads.Uploads[0].UploadId
	if err := l.part(id, 2, photo()[partSize:]); err != nil {
		return err
	}
	parts, err := l.client.ListParts(l.ctx, &s3.ListPartsInput{Bucket: l.bucket, Key: aws.String(second), UploadId: id})
	if err != nil {
		return err
	}
	var all types.CompletedMultipartUpload
	for _, p := range parts.Parts {
		all.Parts = append(all.Parts, types.CompletedPart{PartNumber: p.PartNumber, ETag: p.ETag})
	}
	_, err = l.client.CompleteMultipartUpload(l.ctx, &s3.CompleteMultipartUploadInput{
		Bucket: l.bucket, Key: aws.String(second), UploadId: id, MultipartUpload: &all,
	})
	return err
}

func (l *library) part(upload *string, number int32, content []byte) error {
	_, err := l.client.UploadPart(l.ctx, &s3.UploadPartInput{
		Bucket: l.bucket, Key: aws.String(second), UploadId: upload, PartNumber: &number, Body: bytes.NewReader(content),
	})
	return err
}

func (l *library) replace() error {
	in := &s3.PutObjectInput{Bucket: l.bucket, Key: aws.String(metadata), Body: strings.NewReader(ofMetadata)}
	_, err := l.client.PutObject(l.ctx, in)
	return err
}

func (l *library) delete() error {
	_, err := l.client.DeleteObject(l.ctx, &s3.DeleteObjectInput{Bucket: l.bucket, Key: aws.String(deleted)})
	return err
}

func (l *library) list() error {
	photos, err := names(l.ctx, l.client, *l.bucket, "photos/")
	all, failed := names(l.ctx, l.client, *l.bucket, "")
	return errors.Join(err, failed, check(slices.Equal(photos, []string{first, second}), "the photos are %q", photos),
		check(slices.Equal(all, []string{metadata, first, second}), "the files are %q", all))
}

// holds counts versions. Beside three files there are, or are not any more, the
// replaced metadata, and the deleted photo with its marker.
func (l *library) holds(files, markers int) error {
	all, hidden, err := versions(l.ctx, l.client, *l.bucket)
	return errors.Join(err, check(len(all) == files && len(hidden) == markers,
		"%d versions and %d markers, want %d and %d", len(all), len(hidden), files, markers))
}

func (l *library) read() error {
	for name, want := range map[string]string{first: string(photo()), second: string(photo()), metadata: ofMetadata} {
		out, err := l.client.GetObject(l.ctx, &s3.GetObjectInput{Bucket: l.bucket, Key: &name})
		if err != nil {
			return err
		}
		got, err := io.ReadAll(out.Body)
		if err := errors.Join(err, out.Body.Close(), check(string(got) == want, "%s has another content", name)); err != nil {
			return err
		}
	}
	return nil
}
