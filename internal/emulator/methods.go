package emulator

// A method is one call of the native API.
type method struct {
	run                   func(*call) error
	needs                 string // the capability; "" if the method looks itself
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
	"b2_authorize_account": {run: authorize, takesOtherCredentials: true, class: 'C'},

	"b2_create_bucket": {run: createBucket, needs: "writeBuckets", writes: true, class: 'C'},
	"b2_delete_bucket": {run: deleteBucket, needs: "deleteBuckets", writes: true, class: 'A'},
	"b2_list_buckets":  {run: listBuckets, needs: "listBuckets", class: 'C'},
	"b2_update_bucket": {run: updateBucket, needs: "writeBuckets", writes: true, class: 'C'},

	"b2_create_key": {run: createKey, needs: "writeKeys", writes: true, class: 'C'},
	"b2_delete_key": {run: deleteKey, needs: "deleteKeys", writes: true, class: 'A'},
	"b2_list_keys":  {run: listKeys, needs: "listKeys", class: 'C'},

	"b2_get_bucket_notification_rules": {run: getNotificationRules, needs: "readBucketNotifications", class: 'C'},
	"b2_set_bucket_notification_rules": {run: setNotificationRules, needs: "writeBucketNotifications", writes: true, class: 'C'},

	"b2_copy_file": {beginUploadOrCopy: beginCopy, receive: receiveCopy, run: keepCopy, needs: "writeFiles", writes: true,
		class: 'C'},
	"b2_delete_file_version":        {run: deleteFileVersion, needs: "deleteFiles", writes: true, class: 'A'},
	"b2_download_file_by_id":        {run: downloadByID, takesOtherCredentials: true, class: 'B'},
	byName:                          {run: downloadByName, takesOtherCredentials: true, class: 'B'},
	"b2_get_download_authorization": {run: getDownloadAuthorization, needs: "shareFiles", class: 'C'},
	"b2_get_file_info":              {run: getFileInfo, needs: "readFiles", class: 'B'},
	"b2_get_upload_url":             {run: getUploadURL, needs: "writeFiles", class: 'A'},
	"b2_hide_file":                  {run: hideFile, needs: "writeFiles", writes: true, class: 'A'},
	"b2_list_file_names":            {run: listFileNames, needs: "listFiles", class: 'C'},
	"b2_list_file_versions":         {run: listFileVersions, needs: "listFiles", class: 'C'},
	"b2_update_file_legal_hold":     {run: updateLegalHold, needs: "writeFileLegalHolds", deniesWith403: true, writes: true, class: 'A'},
	"b2_update_file_retention":      {run: updateRetention, needs: "writeFileRetentions", deniesWith403: true, writes: true, class: 'A'},
	"b2_upload_file": {beginUploadOrCopy: beginUpload, receive: receiveUpload, run: commitUpload, writes: true, takesOtherCredentials: true,
		upload: true,
		class:  'A'},

	"b2_cancel_large_file": {run: cancelLargeFile, needs: "writeFiles", writes: true, class: 'A'},
	"b2_copy_part": {beginUploadOrCopy: beginCopyPart, receive: receiveCopy, run: keepPart, needs: "writeFiles", writes: true,
		class: 'C'},
	"b2_finish_large_file":           {run: finishLargeFile, needs: "writeFiles", writes: true, class: 'A'},
	"b2_get_upload_part_url":         {run: getUploadPartURL, needs: "writeFiles", class: 'A'},
	"b2_list_parts":                  {run: listParts, needs: "writeFiles", class: 'C'},
	"b2_list_unfinished_large_files": {run: listUnfinishedLargeFiles, needs: "listFiles", class: 'C'},
	"b2_start_large_file":            {run: startLargeFile, needs: "writeFiles", writes: true, class: 'A'},
	"b2_upload_part": {beginUploadOrCopy: beginPart, receive: receiveUpload, run: keepPart, writes: true, takesOtherCredentials: true,
		upload: true,
		class:  'A'},
}
