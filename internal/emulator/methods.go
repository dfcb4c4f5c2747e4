package emulator

// A method is one call of the native API.
type method struct {
	run                   func(*call) error
	neededCapability      string // the capability; "" if the method looks itself
	writes                bool
	takesOtherCredentials bool // takes other credentials than an authorization token
	deniesWith403         bool // without the capability it is 403, where the others are 401
	class                 byte // of transaction, for the bill: 'A' is free
	upload                bool // the body is content and the parameters are headers
	// beginUploadOrCopy and receive are the first two steps of an upload or copy; see
	// upload.go.
	beginUploadOrCopy, receive func(*call) error
}

// methods are all calls that exist, with what "Pricing Organized by API Calls"
// and "Application Key Capabilities" say of them.
var methods = map[string]method{
	"b2_authorize_account": {run: authorizeAccount, takesOtherCredentials: true, class: 'C'},

	"b2_create_bucket": {run: createBucket, neededCapability: "writeBuckets", writes: true, class: 'C'},
	"b2_delete_bucket": {run: deleteBucket, neededCapability: "deleteBuckets", writes: true, class: 'A'},
	"b2_list_buckets":  {run: listBuckets, neededCapability: "listBuckets", class: 'C'},
	"b2_update_bucket": {run: updateBucket, neededCapability: "writeBuckets", writes: true, class: 'C'},

	"b2_create_key": {run: createKey, neededCapability: "writeKeys", writes: true, class: 'C'},
	"b2_delete_key": {run: deleteKey, neededCapability: "deleteKeys", writes: true, class: 'A'},
	"b2_list_keys":  {run: listKeys, neededCapability: "listKeys", class: 'C'},

	"b2_get_bucket_notification_rules": {run: getNotificationRules, neededCapability: "readBucketNotifications", class: 'C'},
	"b2_set_bucket_notification_rules": {run: setNotificationRules, neededCapability: "writeBucketNotifications", writes: true, class: 'C'},

	"b2_copy_file": {beginUploadOrCopy: beginCopy, receive: receiveCopy, run: finishCopy, neededCapability: "writeFiles", writes: true,
		class: 'C'},
	"b2_delete_file_version":        {run: deleteFileVersion, neededCapability: "deleteFiles", writes: true, class: 'A'},
	"b2_download_file_by_id":        {run: downloadByID, takesOtherCredentials: true, class: 'B'},
	byName:                          {run: downloadByName, takesOtherCredentials: true, class: 'B'},
	"b2_get_download_authorization": {run: getDownloadAuthorization, neededCapability: "shareFiles", class: 'C'},
	"b2_get_file_info":              {run: getFileInfo, neededCapability: "readFiles", class: 'B'},
	"b2_get_upload_url":             {run: getUploadURL, neededCapability: "writeFiles", class: 'A'},
	"b2_hide_file":                  {run: hideFile, neededCapability: "writeFiles", writes: true, class: 'A'},
	"b2_list_file_names":            {run: listFileNames, neededCapability: "listFiles", class: 'C'},
	"b2_list_file_versions":         {run: listFileVersions, neededCapability: "listFiles", class: 'C'},
	"b2_update_file_legal_hold": {run: updateLegalHold, neededCapability: "writeFileLegalHolds", deniesWith403: true, writes: true,
		class: 'A'},
	"b2_update_file_retention": {run: updateRetention, neededCapability: "writeFileRetentions", deniesWith403: true, writes: true,
		class: 'A'},
	"b2_upload_file": {beginUploadOrCopy: beginUpload, receive: receiveUploadContent, run: commitUpload, writes: true,
		takesOtherCredentials: true,
		upload:                true,
		class:                 'A'},

	"b2_cancel_large_file": {run: cancelLargeFile, neededCapability: "writeFiles", writes: true, class: 'A'},
	"b2_copy_part": {beginUploadOrCopy: beginCopyPart, receive: receiveCopy, run: keepPart, neededCapability: "writeFiles", writes: true,
		class: 'C'},
	"b2_finish_large_file":           {run: finishLargeFile, neededCapability: "writeFiles", writes: true, class: 'A'},
	"b2_get_upload_part_url":         {run: getUploadPartURL, neededCapability: "writeFiles", class: 'A'},
	"b2_list_parts":                  {run: listParts, neededCapability: "writeFiles", class: 'C'},
	"b2_list_unfinished_large_files": {run: listUnfinishedLargeFiles, neededCapability: "listFiles", class: 'C'},
	"b2_start_large_file":            {run: startLargeFile, neededCapability: "writeFiles", writes: true, class: 'A'},
	"b2_upload_part": {beginUploadOrCopy: beginPart, receive: receiveUploadContent, run: keepPart, writes: true,
		takesOtherCredentials: true,
		upload:                true,
		class:                 'A'},
}
