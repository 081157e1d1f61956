# Needs BuildKit, the default of Docker since 23. Build: docker build -t event-broker .

# Ubuntu, not Alpine: Java 17 has no Alpine image for arm64, and the native codecs of Kafka's clients are made for glibc.
FROM eclipse-temurin:17-jdk-noble AS build
WORKDIR /build
# the libraries are a layer of their own, which is built anew only when pom.xml changes
COPY .mvn .mvn
COPY mvnw pom.xml ./
RUN sh ./mvnw --batch-mode --no-transfer-progress dependency:go-offline
COPY schemas schemas
COPY src/main src/main
# the tests have run before: they need servers, and an image is made of what has passed
RUN sh ./mvnw --batch-mode --no-transfer-progress package -Dmaven.test.skip=true -Dspotless.apply.skip=true
RUN java -Djarmode=tools -jar target/event-broker.jar extract --layers --destination layers

FROM eclipse-temurin:17-jre-noble
WORKDIR /app
# what changes least comes first
COPY --from=build /build/layers/dependencies/ ./
COPY --from=build /build/layers/spring-boot-loader/ ./
COPY --from=build /build/layers/snapshot-dependencies/ ./
COPY --from=build /build/layers/application/ ./
# a number, so that Kubernetes can tell that it is not root; it owns nothing here and writes to /tmp only, so that the root file system may be read-only
USER 10001:10001
EXPOSE 8080 9876
# Liveness, not readiness: who acts on this check restarts the container or replaces it, which helps against a runtime that hangs, and harms
# one that waits for its database. Who sends it requests asks /observe/health/ready.
HEALTHCHECK --interval=10s --timeout=5s --start-period=90s --retries=3 \
    CMD ["wget", "-q", "-T", "4", "-O", "/dev/null", "http://127.0.0.1:9876/observe/health/live"]
# No shell in between, so that SIGTERM reaches the JVM: it answers the requests in flight, stops the routes, and ends within 30 seconds, which
# is longer than Docker waits unless told (--stop-timeout). 60 % for the heap leaves room for the rest of the JVM in a container of 1 GiB.
# More options for the JVM: JAVA_TOOL_OPTIONS.
ENTRYPOINT ["java", "-XX:MaxRAMPercentage=60", "-Dfile.encoding=UTF-8", "-jar", "event-broker.jar"]
