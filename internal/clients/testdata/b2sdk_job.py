"""Does one job with Backblaze's Python SDK.

Standard input has a JSON object: realm, id, key, bucket, dir and the name of
the job. Standard output gets the first step that fails and its error, or null.
"""
import io
import json
import os
import sys
import time
import traceback
import urllib.request

from b2sdk.v2 import (
    B2Api, CompareVersionMode, CopySource, EncryptionAlgorithm, EncryptionKey, EncryptionMode, EncryptionSetting,
    FileRetentionSetting, InMemoryAccountInfo, KeepOrDeleteMode, LegalHold, NO_RETENTION_FILE_SETTING,
    BucketRetentionSetting, NewerFileSyncMode, RetentionMode, RetentionPeriod, SyncReport, Synchronizer, UploadSourceBytes,
    parse_sync_folder,
)
from b2sdk.v2.exception import B2Error, BadRequest, Conflict, FileNotPresent, RestrictedBucket, Unauthorized

PART = 5_000_000  # the smallest part of a large file
DAY = 24 * 60 * 60 * 1000  # in milliseconds


class Wrong(Exception):
    """What the client did or saw otherwise than it should."""


class Hidden(Exception):
    """What the service keeps from this key."""


def want(what, expected, got):
    if expected != got:
        raise Wrong('%s: want %r, got %r' % (what, expected, got))


def refused(error, do, *args, **kwargs):
    try:
        do(*args, **kwargs)
    except error:
        return
    raise Wrong('%s%r is not refused with %s' % (do.__name__, args, error.__name__))


class Files:
    """A job with files in one bucket, which has Object Lock."""

    def __init__(self, site):
        self.site = site
        self.api = B2Api(InMemoryAccountInfo())

    def authorize(self):
        self.api.authorize_account(self.site['realm'], self.site['id'], self.site['key'])

    def open_the_bucket(self):
        self.bucket = self.api.get_bucket_by_name(self.site['bucket'])
        refused(RestrictedBucket, self.api.get_bucket_by_name, 'another-bucket')

    def read(self, name):
        content = io.BytesIO()
        self.bucket.download_file_by_name(name).save(content)
        return content.getvalue()

    def upload(self):
        self.file = self.bucket.upload_bytes(b'alpha', 'dir/ä %+&#.txt', file_infos={'author': 'ä/ b', 'Case': 'Ü'})
        want('size', 5, self.file.size)
        want('type', 'text/plain', self.file.content_type)
        want('info', {'author': 'ä/ b', 'case': 'Ü'}, self.file.file_info)

    def download(self):
        content = io.BytesIO()
        downloaded = self.bucket.download_file_by_name('dir/ä %+&#.txt')
        downloaded.save(content)
        want('content', b'alpha', content.getvalue())
        want('info', {'author': 'ä/ b', 'case': 'Ü'}, downloaded.download_version.file_info)
        content = io.BytesIO()
        self.api.download_file_by_id(self.file.id_, range_=(1, 3)).save(content)
        want('range', b'lph', content.getvalue())
        want('the ID by name', self.file.id_, self.bucket.get_file_info_by_name('dir/ä %+&#.txt').id_)
        want('the digest by ID', self.file.content_sha1, self.api.get_file_info(self.file.id_).content_sha1)
        refused(B2Error, self.bucket.get_file_info_by_name, 'absent')

    def local(self, name, content=None):
        path = os.path.join(self.site['dir'], *name.split('/'))
        if content is not None:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, 'wb') as f:
                f.write(content)
        return path

    def sync(self, source, target, **kwargs):
        # Files of the same time as an upload would be "newer" or not by chance.
        options = dict(compare_version_mode=CompareVersionMode.SIZE, newer_file_mode=NewerFileSyncMode.REPLACE)
        with open(os.devnull, 'w') as nobody, SyncReport(nobody, no_progress=True) as report:
            Synchronizer(2, **options, **kwargs).sync_folders(
                parse_sync_folder(source, self.api), parse_sync_folder(target, self.api), int(time.time() * 1000), report)

    def sync_up(self):
        for name, content in ('a.txt', b'alpha'), ('b/empty', b''), ('old', b'soon gone'):
            self.local('up/' + name, content)
        self.remote = 'b2://%s/sync' % self.site['bucket']
        self.sync(self.local('up'), self.remote)
        self.local('up/a.txt', b'alpha, changed')
        os.remove(self.local('up/old'))
        self.sync(self.local('up'), self.remote, keep_days_or_delete=KeepOrDeleteMode.KEEP_BEFORE_DELETE, keep_days=1)
        want('names', ['sync/a.txt', 'sync/b/empty'], self.names('sync'))

    def names(self, folder='', **kwargs):
        return [v.file_name for v, _ in self.bucket.ls(folder, recursive=True, fetch_count=2, **kwargs)]

    def list_versions(self):
        want('versions', ['sync/a.txt', 'sync/a.txt', 'sync/b/empty', 'sync/old', 'sync/old'],
             self.names('sync', latest_only=False))
        folders = sorted(folder for _, folder in self.bucket.ls() if folder)
        want('folders', ['dir/', 'sync/'], folders)
        want('actions', ['hide', 'upload'], [v.action for v in self.bucket.list_file_versions('sync/old')])

    def sync_down(self):
        self.sync(self.remote, self.local('down'))
        with open(self.local('down/a.txt'), 'rb') as f:
            want('content', b'alpha, changed', f.read())

    def share(self):
        token = self.bucket.get_download_authorization('dir/', 60)
        url = self.bucket.get_download_url('dir/ä %+&#.txt') + '?Authorization=' + token
        with urllib.request.urlopen(url) as reply:
            want('content', b'alpha', reply.read())

    def lock(self):
        until = (int(time.time()) + 24 * 60 * 60) * 1000
        self.locked = self.bucket.upload_bytes(b'locked', 'locked')
        setting = FileRetentionSetting(RetentionMode.GOVERNANCE, until)
        want('retention', setting, self.api.update_file_retention(self.locked.id_, 'locked', setting))
        shown = self.api.get_file_info(self.locked.id_).file_retention
        if shown.mode == RetentionMode.UNKNOWN:
            raise Hidden('not authorized to read retention')
        want('retention', setting, shown)

    def hold(self):
        want('hold', LegalHold.ON, self.api.update_file_legal_hold(self.locked.id_, 'locked', LegalHold.ON))
        shown = self.api.get_file_info(self.locked.id_).legal_hold
        if shown.is_unknown():
            raise Hidden('not authorized to read legal holds')
        want('hold', LegalHold.ON, shown)
        refused(B2Error, self.api.delete_file_version, self.locked.id_, 'locked')
        want('hold', LegalHold.OFF, self.api.update_file_legal_hold(self.locked.id_, 'locked', LegalHold.OFF))

    def lift_the_lock(self):
        refused(B2Error, self.api.delete_file_version, self.locked.id_, 'locked')
        self.api.update_file_retention(self.locked.id_, 'locked', NO_RETENTION_FILE_SETTING, bypass_governance=True)

    def delete(self):
        self.api.delete_file_version(self.locked.id_, 'locked')
        refused(FileNotPresent, self.api.delete_file_version, self.locked.id_, 'locked')

    def hide(self):
        self.bucket.hide_file('dir/ä %+&#.txt')
        want('names', [], self.names('dir'))
        refused(B2Error, self.bucket.hide_file, 'dir/ä %+&#.txt')

    def upload_a_large_file(self):
        self.content = bytes(range(251)) * (2 * PART // 251 + 1)
        path = self.local('large', self.content)
        self.large = self.bucket.upload_local_file(path, 'large', min_part_size=PART)
        want('content', True, self.read('large') == self.content)
        want('unfinished files', [], list(self.bucket.list_unfinished_large_files()))

    def resume_a_large_file(self):
        started = self.api.services.large_file.start_large_file(self.site_bucket_id(), 'resumed', 'b2/x-auto', {})
        want('unfinished files', [started.file_id], [f.file_id for f in self.bucket.list_unfinished_large_files()])
        want('parts', [], list(self.bucket.list_parts(started.file_id)))
        self.bucket.cancel_large_file(started.file_id)
        want('unfinished files', [], list(self.bucket.list_unfinished_large_files()))

    def site_bucket_id(self):
        return self.bucket.id_

    def copy(self):
        copied = self.bucket.copy(self.large.id_, 'copied', content_type='a/b', file_info={'of': 'large'})
        want('type', 'a/b', copied.content_type)
        end = CopySource(self.large.id_, offset=PART, length=self.large.size - PART)
        start = CopySource(self.large.id_, offset=0, length=PART)
        self.bucket.concatenate([end, start, UploadSourceBytes(b'and an end')], 'joined')
        want('content', True, self.read('joined') == self.content[PART:] + self.content[:PART] + b'and an end')

    def encrypt(self):
        managed = EncryptionSetting(EncryptionMode.SSE_B2, EncryptionAlgorithm.AES256)
        want('encryption', managed, self.bucket.upload_bytes(b'managed', 'managed', encryption=managed).server_side_encryption)
        own = EncryptionSetting(EncryptionMode.SSE_C, EncryptionAlgorithm.AES256, EncryptionKey(b'k' * 32, 'own'))
        file = self.bucket.upload_bytes(b'secret', 'own', encryption=own)
        content = io.BytesIO()
        self.bucket.download_file_by_name('own', encryption=own).save(content)
        want('content', b'secret', content.getvalue())
        refused(B2Error, self.bucket.download_file_by_name, 'own')
        copied = self.bucket.copy(file.id_, 'own-copy', source_encryption=own, destination_encryption=managed,
                                  source_file_info={}, source_content_type='text/plain')
        want('encryption', managed, copied.server_side_encryption)

    def empty_the_bucket(self):
        for version, _ in self.bucket.ls(latest_only=False, recursive=True):
            self.api.delete_file_version(version.id_, version.file_name)
        want('what is left', [], self.names(latest_only=False))

    steps = [
        authorize, open_the_bucket, upload, download, sync_up, list_versions, sync_down, share, lock, hold,
        lift_the_lock, delete, hide, upload_a_large_file, resume_a_large_file, copy, encrypt, empty_the_bucket,
    ]


class Account:
    """A job with buckets and keys."""

    def __init__(self, site):
        self.site = site
        self.api = B2Api(InMemoryAccountInfo())

    authorize = Files.authorize

    def make_a_bucket(self):
        rules = [{'fileNamePrefix': 'a/', 'daysFromHidingToDeleting': 1, 'daysFromUploadingToHiding': None}]
        cors = [{'corsRuleName': 'everybody', 'allowedOrigins': ['*'], 'allowedOperations': ['b2_download_file_by_name'],
                 'allowedHeaders': None, 'exposeHeaders': None, 'maxAgeSeconds': 60}]
        self.bucket = self.api.create_bucket(
            self.site['bucket'] + '-b', 'allPrivate', bucket_info={'owner': 'sdk'}, lifecycle_rules=rules, cors_rules=cors,
            default_server_side_encryption=EncryptionSetting(EncryptionMode.SSE_B2, EncryptionAlgorithm.AES256),
            is_file_lock_enabled=True)
        want('info', {'owner': 'sdk'}, self.bucket.bucket_info)
        want('prefixes', ['a/'], [r['fileNamePrefix'] for r in self.bucket.lifecycle_rules])
        want('revision', 2, self.bucket.revision)

    def list_buckets(self):
        want('the listed bucket', True, self.bucket.name in [b.name for b in self.api.list_buckets()])
        want('the bucket by name', self.bucket.id_, self.api.get_bucket_by_name(self.bucket.name).id_)

    def read_the_bucket(self):
        fresh = self.bucket.get_fresh_state()
        if fresh.is_file_lock_enabled is None:
            raise Hidden('not authorized to read Object Lock')
        if fresh.default_server_side_encryption.mode == EncryptionMode.UNKNOWN:
            raise Hidden('not authorized to read encryption')
        want('lock', True, fresh.is_file_lock_enabled)
        want('encryption', EncryptionMode.SSE_B2, fresh.default_server_side_encryption.mode)

    def change_the_bucket(self):
        retention = BucketRetentionSetting(RetentionMode.GOVERNANCE, RetentionPeriod(days=2))
        changed = self.bucket.update(
            bucket_info={'owner': 'nobody'}, lifecycle_rules=[], cors_rules=[], default_retention=retention,
            if_revision_is=self.bucket.revision)
        want('info', {'owner': 'nobody'}, changed.bucket_info)
        want('rules', [], changed.lifecycle_rules)
        want('retention', retention, changed.default_retention)
        refused(Conflict, self.bucket.update, bucket_info={}, if_revision_is=self.bucket.revision)

    def make_keys(self):
        self.key = self.api.create_key(['listFiles', 'readFiles'], 'sdk-short', 3600, self.bucket.id_, 'a/')
        other = B2Api(InMemoryAccountInfo())
        other.authorize_account(self.site['realm'], self.key.id_, self.key.application_key)
        want('prefix', 'a/', other.account_info.get_allowed()['namePrefix'])
        refused(Unauthorized, other.create_key, ['listFiles'], 'more')

    def list_keys(self):
        want('names', True, 'sdk-short' in [k.key_name for k in self.api.list_keys()])
        want('expiry', True, 3_000_000 < self.api.get_key(self.key.id_).expiration_timestamp_millis - time.time() * 1000 <= 3_600_000)

    def delete_keys(self):
        self.api.delete_key(self.key)
        want('the deleted key', None, self.api.get_key(self.key.id_))
        refused(BadRequest, self.api.delete_key_by_id, self.key.id_)

    def delete_the_bucket(self):
        self.api.delete_bucket(self.bucket)
        refused(B2Error, self.bucket.get_fresh_state)

    steps = [
        authorize, make_a_bucket, list_buckets, read_the_bucket, change_the_bucket, make_keys, list_keys, delete_keys,
        delete_the_bucket,
    ]


def main():
    site = json.load(sys.stdin)
    job = {'files': Files, 'account': Account}[site['job']](site)
    outcome = None
    for step in job.steps:
        try:
            step(job)
        except Exception as e:
            outcome = {
                'step': step.__name__.replace('_', ' '),
                'error': ''.join(traceback.format_exception_only(type(e), e)).strip(),
                'wrong': isinstance(e, (Wrong, AssertionError)),
            }
            if outcome['wrong']:
                traceback.print_exc()
            break
    json.dump(outcome, sys.stdout)


main()
