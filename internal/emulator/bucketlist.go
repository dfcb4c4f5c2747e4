package emulator

import "slices"

// defaultListedTypes are what b2_list_buckets lists if it is not told.
var defaultListedTypes = []string{"allPrivate", "allPublic", "snapshot"}

func listBuckets(c *call) error {
	accountID := c.in.requiredText("accountId")
	id, name := c.in.text("bucketId"), c.in.text("bucketName")
	types, typed := c.in.texts("bucketTypes")
	if err := c.in.finish(c.refusesUnknownMembers()); err != nil {
		return err
	}
	if err := c.checkAccount(accountID); err != nil {
		return err
	}
	if !typed {
		types = defaultListedTypes
	} else if err := checkBucketTypes(types); err != nil {
		return err
	}
	if id != "" && !isHex(id, bucketIDLength) {
		return refuse(400, "bad_bucket_id", "Bucket %s does not exist", id)
	}
	if name != "" {
		named := string(c.tx.get(c.bucketNameStoreKey(name)))
		if named == "" || id != "" && id != named {
			// No such bucket, yet a restricted key must not learn that.
			named = "none"
		}
		id = named
	}
	if !c.mayUseBucket(id) && (c.server.keeps(filtersDecideListing) || id != "") {
		return unauthorized()
	}
	return c.printBuckets(id, types)
}

func checkBucketTypes(types []string) error {
	if len(types) == 0 {
		return badRequest("bucketTypes must not be empty")
	}
	for _, t := range types {
		switch {
		case t == "all" && len(types) > 1:
			return badRequest("bucketTypes cannot have 'all' beside other types")
		case t != "all" && !slices.Contains(settableBucketTypes, t) && !slices.Contains(consoleOnlyBucketTypes, t):
			return badRequest("unknown bucket type: '%s'", t)
		}
	}
	return nil
}

// printBuckets lists the buckets of these types in the order of their names:
// the one with the ID or, if it is "", all.
func (c *call) printBuckets(id string, types []string) error {
	w := &c.out
	printed := 0
	w.begin("", '{')
	w.begin("buckets", '[')
	for _, at := range c.tx.scan("N", "N") {
		if id != "" && id != string(at) {
			continue
		}
		b, err := c.loadBucket(string(at))
		if err != nil {
			return err
		}
		if !slices.Contains(types, b.Type) && types[0] != "all" || !c.mayUseBucket(b.ID) {
			continue
		}
		w.bucket(c, b)
		printed++
	}
	w.end(']')
	w.end('}')
	if printed == 0 && id != "" && !c.server.keeps(filtersDecideListing) {
		return refuse(400, "bad_bucket_id", "Bucket does not exist")
	}
	c.classCTransactionsIfNotOne = transactionsForItems(printed)
	return nil
}
