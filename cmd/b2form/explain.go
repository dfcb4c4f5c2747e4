package main

import (
	"context"
	"errors"

	"github.com/hashicorp/hcl/v2"

	"b2form/internal/b2"
	"b2form/internal/credentials"
	"b2form/internal/forge"
	"b2form/internal/secret"
	"b2form/internal/state"
	"b2form/internal/words"
)

// asWarnings is what is wrong, where the command goes on all the same.
func asWarnings(err error) hcl.Diagnostics {
	diags := explainAsDiagnostics(err)
	for _, d := range diags {
		d.Severity = hcl.DiagWarning
	}
	return diags
}

// explainAsDiagnostics turns whatever went wrong into what is wrong and what to do. An exit
// code needs no words.
func explainAsDiagnostics(err error) hcl.Diagnostics {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var diags hcl.Diagnostics
		for _, e := range joined.Unwrap() {
			diags = append(diags, explainAsDiagnostics(e)...)
		}
		return diags
	}
	var diags hcl.Diagnostics
	var code exitCode
	switch {
	case err == nil || errors.As(err, &code):
		return nil
	case errors.As(err, &diags):
		return diags
	}
	d := &hcl.Diagnostic{Severity: hcl.DiagError}
	var stateErr *state.Error
	var secretErr *secret.Error
	var credentialsErr *credentials.Error
	var forgeErr *forge.PostError
	switch {
	case errors.As(err, &stateErr):
		d.Summary, d.Detail = stateErr.Summary, stateErr.Detail
	case errors.As(err, &secretErr):
		d.Summary, d.Detail = secretErr.Summary, secretErr.Detail
		d.Subject = secretErr.Range
	case isWriteError(err):
		return nil // standard output tells of it itself
	case errors.As(err, &credentialsErr):
		d.Summary, d.Detail = credentialsErr.Summary, credentialsErr.Detail
	case errors.As(err, &forgeErr):
		d.Summary, d.Detail = forgeErr.Summary, forgeErr.Detail
	case errors.Is(err, context.Canceled):
		d.Summary, d.Detail = "Interrupted", "The command was stopped before it was done. Run it again to go on."
	default:
		d.Summary, d.Detail = b2.Explain(err)
	}
	d.Summary = words.CapitalizeUnlessName(d.Summary) // a detail is whole sentences already, and may begin with the name of a file
	return hcl.Diagnostics{d}
}
