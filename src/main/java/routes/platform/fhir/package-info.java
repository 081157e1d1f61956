/**
 * Connects to the FHIR R4 servers of the tenants: their addresses and credentials, one pooled HTTP client, one FHIR
 * client for every pattern, and the errors in FHIR's form.
 */
package routes.platform.fhir;
