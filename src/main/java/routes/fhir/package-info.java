/**
 * The FHIR facade: {@code /fhir} passes requests to the FHIR server of the caller's tenant and its answers back, as
 * bytes. It checks who may do what, and stores who makes each change before the server learns of it.
 */
package routes.fhir;
