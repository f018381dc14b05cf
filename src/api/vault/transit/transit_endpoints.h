#pragma once

#include <vector>

#include "api/endpoint.h"

namespace coffer::api {

// Transit's endpoints, each in the file of its name.
void AddTransitKeyEndpoints(std::vector<Endpoint>& table);
void AddTransitCipherEndpoints(std::vector<Endpoint>& table);
void AddTransitSignEndpoints(std::vector<Endpoint>& table);
void AddTransitMacEndpoints(std::vector<Endpoint>& table);
void AddTransitImportEndpoints(std::vector<Endpoint>& table);
void AddTransitExportEndpoints(std::vector<Endpoint>& table);
void AddTransitByokEndpoints(std::vector<Endpoint>& table);
void AddTransitCertificateEndpoints(std::vector<Endpoint>& table);
void AddTransitDeriveKeyEndpoints(std::vector<Endpoint>& table);
void AddTransitBackupEndpoints(std::vector<Endpoint>& table);
void AddTransitCsrEndpoints(std::vector<Endpoint>& table);
void AddTransitConfigEndpoints(std::vector<Endpoint>& table);
void AddTransitInspectEndpoints(std::vector<Endpoint>& table);
void AddTransitKeylessEndpoints(std::vector<Endpoint>& table);

}  // namespace coffer::api
