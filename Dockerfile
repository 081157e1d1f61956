# Needs BuildKit, the default of Docker since 23. Build: docker build -t event-broker .

# Ubuntu, not Alpine: Java 17 has no Alpine image for arm64, and the native codecs of Kafka's clients need glibc.
FROM eclipse-temurin:17-jdk-noble AS build
WORKDIR /build
# The libraries have their own layer, so Docker downloads them again only when pom.xml changes.
COPY .mvn .mvn
COPY mvnw pom.xml ./
RUN sh ./mvnw --batch-mode --no-transfer-progress dependency:go-offline
COPY schemas schemas
COPY src/main src/main
# The tests need servers; CI runs them before it builds the image.
RUN sh ./mvnw --batch-mode --no-transfer-progress package -Dmaven.test.skip=true -Dspotless.apply.skip=true
RUN java -Djarmode=tools -jar target/event-broker.jar extract --layers --destination layers

FROM eclipse-temurin:17-jre-noble
WORKDIR /app
# The layer that changes least comes first.
COPY --from=build /build/layers/dependencies/ ./
COPY --from=build /build/layers/spring-boot-loader/ ./
COPY --from=build /build/layers/snapshot-dependencies/ ./
COPY --from=build /build/layers/application/ ./
# A number shows Kubernetes that the user is not root. It owns no file and writes to /tmp only, so the root file system may be read-only.
USER 10001:10001
EXPOSE 8080 9876
# Liveness, not readiness: a platform restarts the container when this check fails. A restart helps a runtime that hangs, and harms one that
# waits for its database. Load balancers ask /observe/health/ready.
HEALTHCHECK --interval=10s --timeout=5s --start-period=90s --retries=3 \
    CMD ["wget", "-q", "-T", "4", "-O", "/dev/null", "http://127.0.0.1:9876/observe/health/live"]
# No shell in between, so SIGTERM reaches the JVM. It answers the requests in flight, stops the routes, and ends within 30 seconds: set
# --stop-timeout, because Docker waits for 10. A heap of 60 % leaves room for the rest of the JVM in a container of 1 GiB.
# JAVA_TOOL_OPTIONS adds JVM options.
ENTRYPOINT ["java", "-XX:MaxRAMPercentage=60", "-Dfile.encoding=UTF-8", "-jar", "event-broker.jar"]
