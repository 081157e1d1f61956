window.ui = SwaggerUIBundle({ url: '/contract/openapi.yaml', dom_id: '#swagger-ui', deepLinking: true });
