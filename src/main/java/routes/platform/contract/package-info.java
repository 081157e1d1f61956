/** Reads the contract files and applies them: provisions topics, validates values, names known headers. */
package routes.platform.contract;
