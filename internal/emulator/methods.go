package emulator

// A method is one call of the native API.
type method struct {
	run    func(*call) error
	needs  string // the capability; "" if the method looks itself
	writes bool
	open   bool // takes other credentials than an authorization token
	upload bool // the body is content and the parameters are headers
	class  byte // of transaction, for the bill: 'A' is free
}

// methods are all calls that exist, with what "Pricing Organized by API Calls"
// and "Application Key Capabilities" say of them.
var methods = map[string]method{
	"b2_authorize_account": {run: authorize, open: true, class: 'C'},

	"b2_create_bucket": {run: createBucket, needs: "writeBuckets", writes: true, class: 'C'},
	"b2_delete_bucket": {run: deleteBucket, needs: "deleteBuckets", writes: true, class: 'A'},
	"b2_list_buckets":  {run: listBuckets, needs: "listBuckets", class: 'C'},
	"b2_update_bucket": {run: updateBucket, needs: "writeBuckets", writes: true, class: 'C'},

	"b2_create_key": {run: createKey, needs: "writeKeys", writes: true, class: 'C'},
	"b2_delete_key": {run: deleteKey, needs: "deleteKeys", writes: true, class: 'A'},
	"b2_list_keys":  {run: listKeys, needs: "listKeys", class: 'C'},
}
