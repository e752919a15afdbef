"""What each part of the lab is in `az`, as templates: `{NAME}` stands for a value, an indented line goes on.

Spellings are those of az 2.91. `{ISV_PLACE}` and `{CUSTOMER_PLACE}` are the resource group and the subscription.
"""

from __future__ import annotations

from plstui.lab.consumer import TTL
from plstui.lab.machines import IMAGE, WINDOWS
from plstui.lab.owners import OURS, RUN_TAG, TAG
from plstui.lab.provider import IDLE_MINUTES, PORT, PRIORITY, ZONES

_TAGS = f"--tags {TAG}={OURS} {RUN_TAG}={{RUN}}"
_MARK = f"--metadata {TAG}={OURS}"
FIND_ADDRESS = """
NIC=$(az network private-endpoint show --name {ENDPOINT} {CUSTOMER_PLACE}
  --query 'networkInterfaces[0].id' --output tsv)
ADDRESS=$(az network nic show --ids "$NIC" --query 'ipConfigurations[0].privateIPAddress' --output tsv)
"""


def _urn(image: dict[str, str]) -> str:
    return ":".join(image[key] for key in ("publisher", "offer", "sku", "version"))


def _backend(zone: str) -> dict[str, str]:
    name = f"{{MACHINE}}{zone}"
    return {
        f"nic{zone}": f"""
az network nic create --name {name}-nic --vnet-name {{VNET}} --subnet {{SUBNET}} {{ISV_PLACE}}
  --application-security-groups {{ASG}} --location {{REGION}}
""",
        f"vm{zone}": f"""
az vm create --name {name} --nics {name}-nic --zone {zone} --size {{SIZE}} {{ISV_PLACE}}
  --image {_urn(IMAGE)} --os-disk-name {name}-os --os-disk-delete-option Delete
  --storage-sku Standard_LRS --admin-username {{ADMIN}} --ssh-key-values {{PUBLIC_KEY}}
  --custom-data {{WEB_INIT}} --location {{REGION}}
""",
        f"vm{zone}-running": f"""
az vm start --name {name} {{ISV_PLACE}}
""",
        f"member{zone}": f"""
az network nic ip-config address-pool add --nic-name {name}-nic --ip-config-name ipconfig1 {{ISV_PLACE}}
  --lb-name {{BALANCER}} --address-pool {{POOL}}
""",
    }


PROVIDER: dict[str, str] = {
    "isv-group": f"""
az group create --name {{ISV_GROUP}} --location {{REGION}} --subscription {{ISV}}
  {_TAGS}
""",
    "asg": """
az network asg create --name {ASG} --location {REGION} {ISV_PLACE}
""",
    "nsg": f"""
az network nsg create --name {{NSG}} --location {{REGION}} {{ISV_PLACE}}
az network nsg rule create --nsg-name {{NSG}} --name nginx --priority {PRIORITY} {{ISV_PLACE}}
  --direction Inbound --access Allow --protocol Tcp --source-address-prefixes '*'
  --destination-asgs {{ASG}} --destination-port-ranges {PORT} 443
""",
    "nat-address": """
az network public-ip create --name {NAT_ADDRESS} --sku Standard --location {REGION} {ISV_PLACE}
""",
    "nat": """
az network nat gateway create --name {NAT_GATEWAY} --public-ip-addresses {NAT_ADDRESS} {ISV_PLACE}
  --location {REGION}
""",
    "vnet": """
az network vnet create --name {VNET} --address-prefixes {ISV_PREFIX} --location {REGION} {ISV_PLACE}
az network vnet subnet create --vnet-name {VNET} --name {SUBNET} {ISV_PLACE}
  --address-prefixes {ISV_SUBNET_PREFIX} --network-security-group {NSG}
  --nat-gateway {NAT_GATEWAY} --default-outbound-access false
""",
    "ssh-key": """
az sshkey create --name {SSH_KEY} --public-key {PUBLIC_KEY} --location {REGION} {ISV_PLACE}
""",
    "lb": """
az network lb create --name {BALANCER} --sku Standard --vnet-name {VNET} --subnet {SUBNET} {ISV_PLACE}
  --frontend-ip-name {FRONTEND} --backend-pool-name {POOL} --location {REGION}
""",
    "probe": f"""
az network lb probe create --lb-name {{BALANCER}} --name http --protocol tcp --port {PORT} {{ISV_PLACE}}
  --interval 5
""",
    "rule": f"""
az network lb rule create --lb-name {{BALANCER}} --name http --protocol tcp {{ISV_PLACE}}
  --frontend-port {PORT} --backend-port {PORT} --frontend-ip-name {{FRONTEND}}
  --backend-pool-name {{POOL}} --probe-name http
  --idle-timeout {IDLE_MINUTES} --enable-tcp-reset true
""",
    # az cannot ask for a rule's health; this shows the members, and step 16 whether they serve.
    "healthy": """
az network lb address-pool show --lb-name {BALANCER} --name {POOL} {ISV_PLACE}
  --query 'backendIPConfigurations[].id' --output tsv
""",
    "policies": """
az network vnet subnet update --vnet-name {VNET} --name {SUBNET} {ISV_PLACE}
  --private-link-service-network-policies Disabled
""",
    "service": """
az network private-link-service create --name {SERVICE} --vnet-name {VNET} --subnet {SUBNET} {ISV_PLACE}
  --lb-name {BALANCER} --lb-frontend-ip-configs {FRONTEND} --location {REGION}
""",
    "offer": """
az network private-link-service show --name {SERVICE} {ISV_PLACE}
  --query '[id, alias]' --output tsv
""",
}
for _zone in ZONES:
    PROVIDER |= _backend(_zone)

CONSUMER: dict[str, str] = {
    "customer-group": f"""
az group create --name {{CUSTOMER_GROUP}} --location {{REGION}} --subscription {{CUSTOMER}}
  {_TAGS}
""",
    "spoke": """
az network vnet create --name {SPOKE} --address-prefixes {CUSTOMER_PREFIX} {CUSTOMER_PLACE}
  --location {REGION}
az network vnet subnet create --vnet-name {SPOKE} --name {SPOKE_SUBNET} {CUSTOMER_PLACE}
  --address-prefixes {CUSTOMER_SUBNET_PREFIX} --default-outbound-access false
  --private-endpoint-network-policies Disabled
""",
    "zone": """
az network private-dns zone create --name {ZONE} {CUSTOMER_PLACE}
""",
    "zone-link": """
az network private-dns link vnet create --zone-name {ZONE} --name {ZONE_LINK} {CUSTOMER_PLACE}
  --virtual-network {SPOKE} --registration-enabled false
""",
    "client-nic": """
az network nic create --name {TEST_MACHINE}-nic --vnet-name {SPOKE} --subnet {SPOKE_SUBNET} {CUSTOMER_PLACE}
  --location {REGION}
""",
    "client": f"""
az vm create --name {{TEST_MACHINE}} --nics {{TEST_MACHINE}}-nic --size {{SIZE}} {{CUSTOMER_PLACE}}
  --image {_urn(IMAGE)} --os-disk-name {{TEST_MACHINE}}-os --os-disk-delete-option Delete
  --storage-sku Standard_LRS --admin-username {{ADMIN}} --ssh-key-values {{PUBLIC_KEY}}
  --custom-data {{CLIENT_INIT}} --location {{REGION}}
""",
    "client-running": """
az vm start --name {TEST_MACHINE} {CUSTOMER_PLACE}
""",
    "endpoint": """
az network private-endpoint create --name {ENDPOINT} --connection-name {ENDPOINT_CONNECTION} {CUSTOMER_PLACE}
  --private-connection-resource-id {SERVICE_ID} --vnet-name {SPOKE} --subnet {SPOKE_SUBNET}
  --manual-request true --request-message={MESSAGE} --location {REGION}
""",
    "approved": """
CONNECTION=$(az network private-link-service show --name {SERVICE} {ISV_PLACE}
  --query {CONNECTION_QUERY} --output tsv)
az network private-link-service connection update --service-name {SERVICE} --name "$CONNECTION" {ISV_PLACE}
  --connection-status Approved --description 'Approved with plstui'
""",
    "address": f"""{FIND_ADDRESS}echo "$ADDRESS"
""",
    "record": f"""
az network private-dns record-set a create --zone-name {{ZONE}} --name {{RECORD}} --ttl {TTL} {{CUSTOMER_PLACE}}
  {_MARK}
az network private-dns record-set a add-record --zone-name {{ZONE}} --record-set-name {{RECORD}} {{CUSTOMER_PLACE}}
  --ipv4-address "$ADDRESS"
""",
}

# What is otherwise where a setting is another.

WITHOUT_NAT = {"vnet": PROVIDER["vnet"].replace("--nat-gateway {NAT_GATEWAY} ", "")}

# The password goes through a pipe: an argument could be read by every other user of the machine.
WITH_WINDOWS = {
    "client": f"""
read -rs -p 'Password for the administrator of the Windows machine: ' PASSWORD </dev/tty; echo >&2
printf '%s' "$PASSWORD" | az vm create --name {{TEST_MACHINE}} {{CUSTOMER_PLACE}}
  --nics {{TEST_MACHINE}}-nic --size {{SIZE}} --image {_urn(WINDOWS)}
  --os-disk-name {{TEST_MACHINE}}-os --os-disk-delete-option Delete
  --admin-username {{ADMIN}} --admin-password @- --location {{REGION}}
"""
}

# A public zone was there before the lab: a record that has come since the plan was made stops the script.
WITH_PUBLIC_ZONE = {
    "record": f"""
az network dns record-set a create --zone-name {{ZONE}} --name {{RECORD}} --ttl {TTL} {{ZONE_PLACE}}
  {_MARK} --if-none-match
az network dns record-set a add-record --zone-name {{ZONE}} --record-set-name {{RECORD}} {{ZONE_PLACE}}
  --ipv4-address "$ADDRESS"
"""
}

# Whoever sees the customer's side alone waits for the ISV.
WITHOUT_ISV = {
    "approved": """
az network private-endpoint wait --name {ENDPOINT} {CUSTOMER_PLACE} --interval 10
  --custom "manualPrivateLinkServiceConnections[0].privateLinkServiceConnectionState.status=='Approved'"
"""
}

OPEN_PAGE = """
az vm run-command invoke --name {{TEST_MACHINE}} --command-id RunShellScript {{CUSTOMER_PLACE}}
  --scripts "curl --silent --show-error --max-time 5 http://{host}" --query 'value[0].message' --output tsv
"""

OPEN_PAGE_IN_WINDOWS = """
az vm run-command invoke --name {{TEST_MACHINE}} --command-id RunPowerShellScript {{CUSTOMER_PLACE}}
  --scripts "(Invoke-WebRequest -UseBasicParsing -TimeoutSec 5 http://{host}).Content"
  --query 'value[0].message' --output tsv
"""

LEAVE_SERVICE = """
az network private-endpoint delete --name {ENDPOINT} {CUSTOMER_PLACE}
"""

EMPTY_SERVICE = """
for CONNECTION in $(az network private-link-service list {ISV_PLACE}
  --query {CONNECTIONS_QUERY} --output tsv); do
  az network private-link-service connection delete --name "$CONNECTION" --yes
    --service-name {SERVICE} {ISV_PLACE}
done
az network private-link-service delete --name {SERVICE} {ISV_PLACE}
"""

DROP_ISV = """
az group delete --name {ISV_GROUP} --subscription {ISV} --yes
"""

DROP_CUSTOMER = """
az group delete --name {CUSTOMER_GROUP} --subscription {CUSTOMER} --yes
"""

# JMESPath; the place is an endpoint's id, and a service's name.
CONNECTION_QUERY = "privateEndpointConnections[?privateEndpoint.id=='{}'].name | [0]"
CONNECTIONS_QUERY = "[?name=='{}'].privateEndpointConnections[].name"

REQUIRE_TAGS = r"""# A group that was found to be plstui's is deleted only while it is: NAME SUBSCRIPTION RUN.
require_tags() {
  [ "$(az group exists --name "$1" --subscription "$2")" = true ] || return 0
  local tags
  tags=$(az group show --name "$1" --subscription "$2" --output tsv \
    --query "join(' ', [tags.\"created-by\" || '', tags.\"plstui-run\" || ''])")
  [ "$tags" = "plstui $3" ] && return 0
  echo "Stopped: resource group $1 no longer has the tags created-by=plstui and plstui-run=$3." >&2
  exit 1
}
"""
