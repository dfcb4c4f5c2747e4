package b2

// An explanation says what is wrong, as a clause without a capital and without a
// period, and what to do, in sentences.
type explanation struct{ summary, detail string }

const (
	newDay = "Daily caps start anew at 00:00 UTC; the account's owner raises them in the web console under \"Caps & Alerts\"."
	rerun  = "Run again: the plan starts from what is there now."
)

// accessDenied is the code with which B2 refuses to delete what Object Lock protects, and some other requests.
const accessDenied = "access_denied"

// lockedFile is what "access_denied" means where a file version is deleted.
var lockedFile = explanation{"a file is protected by Object Lock",
	"Its retention must end, or its legal hold be lifted, before it can be deleted. Compliance mode cannot be shortened by anybody."}

// byCode explains the codes that mean one thing whatever the call was. They are
// those of Backblaze's pages on error handling and of the calls themselves.
var byCode = map[string]explanation{
	// The account.
	"email_not_verified": {"the e-mail address of the account is not verified",
		"B2 wants that before a bucket is made public or replicated: verify it in the web console under \"My Settings\"."},
	"no_payment_history": {"the account has no payment history",
		"B2 allows public buckets and replication only after a payment: add a payment method in the web console under \"Billing\", or " +
			"make a first payment there."},
	"cap_exceeded":         {"a cap of the account is used up", newDay},
	"storage_cap_exceeded": {"the account's cap on storage is reached", newDay},
	"transaction_cap_exceeded": {"the account's daily cap on transactions is reached",
		newDay + " Accounts without a payment method end at the free daily allowance."},
	"download_cap_exceeded": {"the account's daily cap on downloads is reached", newDay},

	// Buckets.
	"duplicate_bucket_name": {"bucket name is already in use",
		"Bucket names are shared by all customers of B2, whatever their case: choose another. If the bucket is yours, check that these " +
			"are the credentials of its account, and import it."},
	"too_many_buckets": {"the account has as many buckets as it may",
		"The limit is 100 unless Backblaze raised it: delete buckets, or ask Backblaze's Sales team for more."},
	"cannot_delete_non_empty_bucket": {"the bucket is not empty",
		"B2 deletes only empty buckets; hidden and old versions of files and unfinished large files count. Delete them, or set " +
			"force_destroy = true on the bucket and apply that first."},
	"conflict":          {"somebody else changed the bucket meanwhile", "Nothing was overwritten. " + rerun},
	"bad_bucket_id":     {"the bucket does not exist", "It was deleted meanwhile, or belongs to another account. " + rerun},
	"invalid_bucket_id": {"the bucket's ID is malformed", "IDs are 24 digits and letters: check where it comes from."},

	// Object Lock and replication.
	"file_lock_conflict": {"Object Lock cannot be switched off",
		"Once on, it stays on for the life of the bucket: set file_lock_enabled = true or leave it out."},
	"bucket_missing_file_lock": {"the bucket has no Object Lock",
		"Retention needs it: set file_lock_enabled = true, which cannot be undone."},
	"source_replication_conflict": {"Object Lock and replication exclude each other on this bucket",
		"A bucket that is the source of a replication cannot get Object Lock: remove the replication first, then enable Object Lock."},
	"restricted_bucket_conflict": {"B2 does not allow this on a restricted bucket",
		"Restricted, shared and snapshot buckets are made by other B2 services and cannot get Object Lock: use another bucket."},

	// Files.
	"file_not_present": {"the file version does not exist", "It was deleted meanwhile. " + rerun},
	uploadURLInUse: {"another upload is under way with each upload URL that B2 gave",
		"B2 has too many uploads to this bucket at the moment. Run again in a few minutes."},
	"no_such_file": {"the file does not exist", "It was deleted or hidden meanwhile. " + rerun},

	// Event notifications.
	"event_type_categories": {"an event type stands beside the wildcard that contains it", "Keep either the wildcard or the single types."},
	"event_type_invalid": {"B2 does not know an event type", "See \"Event Notifications Reference Guide\" in B2's documentation for " +
		"the list."},
	"event_type_overlap": {"two notification rules cover the same files and events", "Give them prefixes of which none starts with " +
		"another, or different event types."},
	"event_types_empty": {"a notification rule has no event types", "Name at least one."},

	// The session and the wire.
	"bad_auth_token": {"B2 does not accept the session that it has just opened", "The application key may have been deleted or " +
		"replaced during the run: check it in the web console, and run again."},
	"expired_auth_token": {"B2 ended the session, and again after a new one was opened", "Run again in a few minutes."},
	"missing_auth_token": {"the request reached B2 without its token", "A proxy may remove the Authorization header: check HTTPS_PROXY."},
	"bad_json": {"B2 could not read the request",
		"A value is of a type that B2 does not expect, or a proxy changed the request."},
	"method_not_allowed": {"the endpoint does not know this way of calling", "Check that the endpoint (B2_ENDPOINT) is B2's native API."},
}
