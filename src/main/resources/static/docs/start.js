window.ui = SwaggerUIBundle({
  url: new URL('../contract/openapi.yaml', location.href).href,
  dom_id: '#swagger-ui',
  deepLinking: true
});
