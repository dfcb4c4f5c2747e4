// A judge: Amazon's SDK for Go does in the emulated account what its users do.
// It wants B2_S3_ENDPOINT, and of a key for everything key_id and secret.
package main

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

const region = "us-west-004"

type job struct {
	ctx    context.Context
	client *s3.Client
	bucket *string
}

func main() {
	client := s3.New(s3.Options{
		Region: region, BaseEndpoint: aws.String(os.Getenv("B2_S3_ENDPOINT")), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(os.Getenv("key_id"), os.Getenv("secret"), ""),
	})
	j := &job{ctx: context.Background(), client: client, bucket: aws.String("aws-sdk-judges")}
	steps := []struct {
		name string
		run  func() error
	}{
		{"make a bucket", j.makeBucket}, {"put and get", j.putAndGet}, {"conditions", j.conditions}, {"list", j.list},
		{"versions", j.versions}, {"upload in parts", j.parts}, {"copy", j.copy}, {"presign", j.presign},
		{"lifecycle rules and CORS", j.settings}, {"Object Lock", j.lock}, {"customer key", j.customerKey},
		{"empty and delete the bucket", j.deleteBucket},
	}
	for _, s := range steps {
		if err := s.run(); err != nil {
			fmt.Printf("%s: %v\n", s.name, err)
			os.Exit(1)
		}
	}
	fmt.Printf("all %d steps pass\n", len(steps))
}

// refused wants an error with the code.
func refused(err error, code string) error {
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code {
		return fmt.Errorf("want %s, got %v", code, err)
	}
	return nil
}

func check(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}

func (j *job) put(key, content string) (*s3.PutObjectOutput, error) {
	return j.client.PutObject(j.ctx, &s3.PutObjectInput{
		Bucket: j.bucket, Key: &key, Body: strings.NewReader(content), ContentType: aws.String("text/plain"),
		Metadata: map[string]string{"color": "red"},
	})
}

func (j *job) get(in *s3.GetObjectInput) (string, error) {
	in.Bucket = j.bucket
	out, err := j.client.GetObject(j.ctx, in)
	if err != nil {
		return "", err
	}
	content, err := io.ReadAll(out.Body)
	return string(content), errors.Join(err, out.Body.Close())
}

func (j *job) makeBucket() error {
	in := &s3.CreateBucketInput{Bucket: j.bucket, ObjectLockEnabledForBucket: aws.Bool(true)}
	if _, err := j.client.CreateBucket(j.ctx, in); err != nil {
		return err
	}
	_, err := j.client.CreateBucket(j.ctx, in)
	all, failed := j.client.ListBuckets(j.ctx, &s3.ListBucketsInput{})
	where, lost := j.client.GetBucketLocation(j.ctx, &s3.GetBucketLocationInput{Bucket: j.bucket})
	if err := errors.Join(refused(err, "BucketAlreadyOwnedByYou"), failed, lost); err != nil {
		return err
	}
	_, missing := j.client.HeadBucket(j.ctx, &s3.HeadBucketInput{Bucket: aws.String("no-such-bucket")})
	named := slices.ContainsFunc(all.Buckets, func(b types.Bucket) bool { return *b.Name == *j.bucket })
	return errors.Join(check(named, "it is not listed"), check(where.LocationConstraint == region, "it is in %s", where.LocationConstraint),
		check(missing != nil, "there is a bucket that is not"))
}

func (j *job) putAndGet() error {
	if _, err := j.put("folder/ä %+.txt", "content"); err != nil {
		return err
	}
	head, err := j.client.HeadObject(j.ctx, &s3.HeadObjectInput{Bucket: j.bucket, Key: aws.String("folder/ä %+.txt")})
	if err != nil {
		return err
	}
	whole, wrong := j.get(&s3.GetObjectInput{Key: aws.String("folder/ä %+.txt"), ChecksumMode: types.ChecksumModeEnabled})
	part, odd := j.get(&s3.GetObjectInput{Key: aws.String("folder/ä %+.txt"), Range: aws.String("bytes=2-4")})
	_, missing := j.get(&s3.GetObjectInput{Key: aws.String("none")})
	var noKey *types.NoSuchKey
	return errors.Join(wrong, odd, check(whole == "content", "the content is %q", whole), check(part == "nte", "a range is %q", part),
		check(*head.ContentLength == 7 && head.Metadata["color"] == "red", "it has %d bytes and %v", *head.ContentLength, head.Metadata),
		check(errors.As(missing, &noKey), "a missing object: %v", missing))
}

func (j *job) conditions() error {
	made, err := j.put("a", "1")
	if err != nil {
		return err
	}
	_, same := j.get(&s3.GetObjectInput{Key: aws.String("a"), IfNoneMatch: made.ETag})
	_, other := j.get(&s3.GetObjectInput{Key: aws.String("a"), IfMatch: aws.String(`"none"`)})
	_, write := j.client.PutObject(j.ctx, &s3.PutObjectInput{
		Bucket: j.bucket, Key: aws.String("a"), Body: strings.NewReader("2"), IfNoneMatch: aws.String("*"),
	})
	return errors.Join(refused(same, "NotModified"), refused(other, "PreconditionFailed"), refused(write, "NotImplemented"))
}

func (j *job) list() error {
	for _, key := range []string{"list/a", "list/b", "list/c/d"} {
		if _, err := j.put(key, key); err != nil {
			return err
		}
	}
	var names []string
	pages := s3.NewListObjectsV2Paginator(j.client, &s3.ListObjectsV2Input{
		Bucket: j.bucket, Prefix: aws.String("list/"), Delimiter: aws.String("/"), MaxKeys: aws.Int32(1),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(j.ctx)
		if err != nil {
			return err
		}
		for _, o := range page.Contents {
			names = append(names, *o.Key)
		}
		for _, p := range page.CommonPrefixes {
			names = append(names, *p.Prefix)
		}
	}
	return check(slices.Equal(names, []string{"list/a", "list/b", "list/c/"}), "listed are %q", names)
}

func (j *job) versions() error {
	old, err := j.put("v", "old")
	if err != nil {
		return err
	}
	_, err = j.put("v", "new")
	_, deleted := j.client.DeleteObject(j.ctx, &s3.DeleteObjectInput{Bucket: j.bucket, Key: aws.String("v")})
	all, listed := j.client.ListObjectVersions(j.ctx, &s3.ListObjectVersionsInput{Bucket: j.bucket, Prefix: aws.String("v")})
	if err := errors.Join(err, deleted, listed); err != nil {
		return err
	}
	content, err := j.get(&s3.GetObjectInput{Key: aws.String("v"), VersionId: old.VersionId})
	return errors.Join(err, check(content == "old", "the old version is %q", content),
		check(len(all.Versions) == 2 && len(all.DeleteMarkers) == 1, "%d versions and %d markers", len(all.Versions),
			len(all.DeleteMarkers)))
}

func (j *job) parts() error {
	content := bytes.Repeat([]byte("0123456789abcdef"), 12<<20/16)
	_, err := manager.NewUploader(j.client, func(u *manager.Uploader) { u.PartSize = 5 << 20 }).Upload(j.ctx, &s3.PutObjectInput{
		Bucket: j.bucket, Key: aws.String("large"), Body: bytes.NewReader(content),
	})
	if err != nil {
		return err
	}
	got := manager.NewWriteAtBuffer(nil)
	_, err = manager.NewDownloader(j.client).Download(j.ctx, got, &s3.GetObjectInput{Bucket: j.bucket, Key: aws.String("large")})
	return errors.Join(err, check(bytes.Equal(got.Bytes(), content), "another content came back"))
}

func (j *job) copy() error {
	_, err := j.client.CopyObject(j.ctx, &s3.CopyObjectInput{
		Bucket: j.bucket, Key: aws.String("copied"), CopySource: aws.String(*j.bucket + "/list/a"),
	})
	if err != nil {
		return err
	}
	content, err := j.get(&s3.GetObjectInput{Key: aws.String("copied")})
	return errors.Join(err, check(content == "list/a", "the copy is %q", content))
}

func (j *job) presign() error {
	signer := s3.NewPresignClient(j.client)
	put, err := signer.PresignPutObject(j.ctx, &s3.PutObjectInput{Bucket: j.bucket, Key: aws.String("signed")})
	if err != nil {
		return err
	}
	get, err := signer.PresignGetObject(j.ctx, &s3.GetObjectInput{Bucket: j.bucket, Key: aws.String("signed")})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(j.ctx, put.Method, put.URL, strings.NewReader("signed"))
	if err != nil {
		return err
	}
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	reply.Body.Close()
	again, err := http.Get(get.URL)
	if err != nil {
		return err
	}
	content, err := io.ReadAll(again.Body)
	return errors.Join(err, again.Body.Close(), check(reply.StatusCode == 200, "put: %s", reply.Status),
		check(string(content) == "signed", "get: %q", content))
}

func (j *job) settings() error {
	rule := types.LifecycleRule{
		ID: aws.String("old"), Status: types.ExpirationStatusEnabled, Filter: &types.LifecycleRuleFilter{Prefix: aws.String("tmp/")},
		NoncurrentVersionExpiration: &types.NoncurrentVersionExpiration{NoncurrentDays: aws.Int32(7)},
	}
	_, err := j.client.PutBucketLifecycleConfiguration(j.ctx, &s3.PutBucketLifecycleConfigurationInput{
		Bucket: j.bucket, LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: []types.LifecycleRule{rule}},
	})
	if err != nil {
		return err
	}
	rules, err := j.client.GetBucketLifecycleConfiguration(j.ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: j.bucket})
	if err != nil {
		return err
	}
	_, none := j.client.GetBucketCors(j.ctx, &s3.GetBucketCorsInput{Bucket: j.bucket})
	open := types.CORSRule{AllowedMethods: []string{"GET"}, AllowedOrigins: []string{"https://example.com"}, MaxAgeSeconds: aws.Int32(60)}
	_, err = j.client.PutBucketCors(j.ctx, &s3.PutBucketCorsInput{
		Bucket: j.bucket, CORSConfiguration: &types.CORSConfiguration{CORSRules: []types.CORSRule{open}},
	})
	if err != nil {
		return err
	}
	cors, err := j.client.GetBucketCors(j.ctx, &s3.GetBucketCorsInput{Bucket: j.bucket})
	if err != nil {
		return err
	}
	return errors.Join(refused(none, "NoSuchCORSConfiguration"), check(len(cors.CORSRules) == 1, "%d CORS rules", len(cors.CORSRules)),
		check(len(rules.Rules) == 1 && *rules.Rules[0].NoncurrentVersionExpiration.NoncurrentDays == 7, "the rules are %+v", rules.Rules))
}

func (j *job) lock() error {
	until := time.Now().Add(time.Hour)
	made, err := j.client.PutObject(j.ctx, &s3.PutObjectInput{
		Bucket: j.bucket, Key: aws.String("locked"), Body: strings.NewReader("locked"),
		ObjectLockMode: types.ObjectLockModeGovernance, ObjectLockRetainUntilDate: &until,
	})
	if err != nil {
		return err
	}
	_, kept := j.client.DeleteObject(j.ctx, &s3.DeleteObjectInput{Bucket: j.bucket, Key: aws.String("locked"), VersionId: made.VersionId})
	_, err = j.client.DeleteObject(j.ctx, &s3.DeleteObjectInput{
		Bucket: j.bucket, Key: aws.String("locked"), VersionId: made.VersionId, BypassGovernanceRetention: aws.Bool(true),
	})
	return errors.Join(refused(kept, "AccessDenied"), err)
}

func (j *job) customerKey() error {
	raw := []byte(strings.Repeat("k", 32))
	sum := md5.Sum(raw)
	algorithm, key, digest := aws.String("AES256"), base64.StdEncoding.EncodeToString(raw), base64.StdEncoding.EncodeToString(sum[:])
	_, err := j.client.PutObject(j.ctx, &s3.PutObjectInput{
		Bucket: j.bucket, Key: aws.String("secret"), Body: strings.NewReader("secret"),
		SSECustomerAlgorithm: algorithm, SSECustomerKey: &key, SSECustomerKeyMD5: &digest,
	})
	if err != nil {
		return err
	}
	_, without := j.get(&s3.GetObjectInput{Key: aws.String("secret")})
	content, err := j.get(&s3.GetObjectInput{
		Key: aws.String("secret"), SSECustomerAlgorithm: algorithm, SSECustomerKey: &key, SSECustomerKeyMD5: &digest,
	})
	return errors.Join(err, check(content == "secret", "the content is %q", content), refused(without, "InvalidRequest"))
}

func (j *job) deleteBucket() error {
	_, full := j.client.DeleteBucket(j.ctx, &s3.DeleteBucketInput{Bucket: j.bucket})
	pages := s3.NewListObjectVersionsPaginator(j.client, &s3.ListObjectVersionsInput{Bucket: j.bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(j.ctx)
		if err != nil {
			return err
		}
		var all []types.ObjectIdentifier
		for _, v := range page.Versions {
			all = append(all, types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
		}
		for _, m := range page.DeleteMarkers {
			all = append(all, types.ObjectIdentifier{Key: m.Key, VersionId: m.VersionId})
		}
		out, err := j.client.DeleteObjects(j.ctx, &s3.DeleteObjectsInput{Bucket: j.bucket, Delete: &types.Delete{Objects: all}})
		if err != nil {
			return err
		}
		if len(out.Errors) > 0 || len(out.Deleted) != len(all) {
			return fmt.Errorf("deleted %d of %d: %v", len(out.Deleted), len(all), out.Errors)
		}
	}
	_, err := j.client.DeleteBucket(j.ctx, &s3.DeleteBucketInput{Bucket: j.bucket})
	return errors.Join(refused(full, "BucketNotEmpty"), err)
}
