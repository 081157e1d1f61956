/** Reads {@code contract/asyncapi.yaml} and makes it true: topics exist, schemas check, header names are known. */
package routes.platform.contract;
