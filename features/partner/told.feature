Feature: What the Partner is told
  The Partner ships goods by what its acquirer says, and by nothing else.

  @AP-29 @notifications
  Scenario: The Partner is notified
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    Then the acquirer notifies the Partner that the payment is approved

  @AP-29 @notifications
  Scenario Outline: A notification that did not get through comes again: <status>
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner answers the notification of the payment's end with status <status>
    And the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    Then the acquirer notifies the Partner again that the payment is approved

    Examples:
      | status |
      | 302    |
      | 500    |

  @AP-29
  Scenario Outline: One word is enough, in the answer or by notification: <outcome>
    Given a Partner with an order of 459.00 SEK
    And Klarna will <decision> the payment
    When the Partner creates the payment
    Then the acquirer tells the Partner that the payment is <outcome>

    Examples:
      | decision | outcome  |
      | approve  | approved |
      | decline  | declined |
